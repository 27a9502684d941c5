/** A headless Chromium of the system, for tests that look at the page as a person does. */
import { existsSync } from "node:fs";
import puppeteer, { type Browser, type Page } from "puppeteer-core";

const CANDIDATES = [
  process.env.NERVE_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** Null: this machine has none; the tests say so and pass over. */
export const CHROMIUM: string | null = CANDIDATES.find((path) => path !== undefined && existsSync(path)) ?? null;

export function launch(): Promise<Browser> {
  if (CHROMIUM === null) throw new Error("no Chromium on this machine");
  return puppeteer.launch({
    executablePath: CHROMIUM,
    headless: true,
    protocolTimeout: 60_000,
    // As root Chromium has no sandbox of its own; the pages are ours.
    args: [
      "--no-sandbox",
      "--disable-dev-shm-usage",
      "--disable-gpu",
      "--font-render-hinting=none",
      "--force-color-profile=srgb",
    ],
  });
}

/** So long a condition may take on a machine that is busy with other things. */
const PATIENCE_MS = 60_000;

export const WIDTHS = [1440, 800, 375] as const;
export const THEMES = ["light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** What a page must not do. */
export interface Watched {
  readonly page: Page;
  /** Errors of the console, of scripts, of the policy; failed requests. */
  readonly errors: string[];
}

export async function openPage(browser: Browser, width: number, theme: Theme): Promise<Watched> {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const errors: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warn") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("dialog", (dialog) => {
    errors.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.setViewport({ width, height: 900, deviceScaleFactor: 1, isMobile: false, hasTouch: false });
  await page.emulateMediaFeatures([
    { name: "prefers-color-scheme", value: theme },
    { name: "prefers-reduced-motion", value: "reduce" },
  ]);
  return { page, errors };
}

/** Loads `hash` and waits until all that it asked for is there. */
export async function show(page: Page, url: string, hash: string): Promise<void> {
  await page.goto(`${url}/${hash}`, { waitUntil: "domcontentloaded" });
  await page.waitForSelector("main#main, main.refused");
  await settled(page);
}

/** Waits until no part of the page waits for its first answer, and no request has been made for a while. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction("document.querySelector('.waiting') === null");
  await page.waitForNetworkIdle({ idleTime: 100, concurrency: 1 });
  await page.waitForFunction("document.querySelector('.waiting') === null");
}

export const text = (page: Page, selector: string): Promise<string> =>
  page.$eval(selector, (element) => element.textContent ?? "");
