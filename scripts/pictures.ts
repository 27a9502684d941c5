/**
 * Takes the pictures of docs/seeing.md: the page in a headless Chromium, on the made-up host of the tests. With the Debian packages
 * fonts-inter and fonts-jetbrains-mono in the place of the system's fonts, which differ from host to host.
 * `bun scripts/pictures.ts [FOLDER] [--all]`: `--all` takes every view at each width and in both themes, to be looked at.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser } from "puppeteer-core";
import { launch, openPage, settled, show, THEMES, type Theme, WIDTHS } from "../test/page/browser.ts";
import { type FixtureServer, startFixture } from "../test/page/server.ts";
import { EMPTY, QUIET } from "../test/page/world/empty.ts";
import { HOSTILE } from "../test/page/world/hostile.ts";
import { LIVE } from "../test/page/world/live.ts";
import { MANY } from "../test/page/world/many.ts";
import type { World } from "../test/page/world/world.ts";
import { ROOT } from "./toolchain.ts";

interface Picture {
  readonly name: string;
  readonly world: World;
  readonly hash: string;
  readonly width: number;
  readonly theme: Theme;
  /** The whole page, or what is on the screen. */
  readonly whole: boolean;
}

const picture = (name: string, hash: string, width: number, theme: Theme): Picture => ({
  name,
  world: LIVE,
  hash,
  width,
  theme,
  whole: true,
});

/** Those of the documentation. */
const SHOWN: readonly Picture[] = [
  picture("now", "#/now", 1440, "light"),
  { ...picture("now-quiet", "#/now", 1440, "dark"), world: QUIET },
  picture("why-not", "#/reflexes", 1440, "light"),
  picture("story", "#/story?sel=run%3A2", 1440, "dark"),
  picture("run", "#/runs?sel=5", 1440, "light"),
  picture("incidents", "#/incidents", 1440, "dark"),
  { ...picture("now-phone", "#/now", 375, "light"), whole: false },
];

const VIEWS = [
  "now",
  "senses?sel=backup-age",
  "signals?sel=989",
  "story?sel=run%3A2",
  "reflexes",
  "runs?sel=5",
  "incidents",
  "logs?sel=91",
  "graph?about=reflex%3Apage-on-trouble",
  "store",
];

const WORLDS = { live: LIVE, empty: EMPTY, quiet: QUIET, hostile: HOSTILE, many: MANY } as const;

/** Every view of every host, at each width and in both themes. */
const everything = (): readonly Picture[] =>
  Object.entries(WORLDS).flatMap(([host, world]) =>
    WIDTHS.flatMap((width) =>
      THEMES.flatMap((theme) =>
        VIEWS.map((view) => {
          const name = `${host}-${view.replace(/\?.*/, "")}-${width}-${theme}`;
          return { name, world, hash: `#/${view}`, width, theme, whole: true };
        }),
      ),
    ),
  );

const FONTS = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
<alias binding="strong"><family>sans-serif</family><prefer><family>Inter</family></prefer></alias>
<alias binding="strong"><family>system-ui</family><prefer><family>Inter</family></prefer></alias>
<alias binding="strong"><family>monospace</family><prefer><family>JetBrains Mono</family></prefer></alias>
<alias binding="strong"><family>ui-monospace</family><prefer><family>JetBrains Mono</family></prefer></alias>
</fontconfig>`;

async function take(browser: Browser, server: FixtureServer, folder: string, one: Picture): Promise<void> {
  server.show(one.world);
  const { page, errors } = await openPage(browser, one.width, one.theme);
  await show(page, server.url, one.hash);
  if (one.whole) {
    // What stands at the edge of the screen stands at the edge of the picture.
    const height = (await page.evaluate("document.documentElement.scrollHeight")) as number;
    await page.setViewport({ width: one.width, height: Math.min(Math.max(height, 480), 4_000) });
    await settled(page);
    await page.evaluate("scrollTo(0, 0)");
  }
  const path = join(folder, `${one.name}.png`);
  await page.screenshot({ path: path as `${string}.png` });
  // A third of the size, where the Debian package pngquant is there.
  const smaller = ["pngquant", "--force", "--skip-if-larger", "--ext", ".png", "--speed", "1", path];
  if (Bun.which("pngquant") !== null) Bun.spawnSync(smaller);
  if (errors.length > 0) console.error(`${one.name}: ${errors.join("; ")}`);
  await page.browserContext().close();
}

export async function takePictures(folder: string, pictures: readonly Picture[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const fonts = mkdtempSync(join(tmpdir(), "nerve-fonts-"));
  try {
    writeFileSync(join(fonts, "fonts.conf"), FONTS);
    process.env.FONTCONFIG_FILE = join(fonts, "fonts.conf");
    const [browser, server] = await Promise.all([launch(), startFixture(LIVE)]);
    for (const one of pictures) await take(browser, server, folder, one);
    await browser.close();
    await server.stop();
  } finally {
    rmSync(fonts, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const [given] = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  const all = process.argv.includes("--all");
  await takePictures(given === undefined ? join(ROOT, "docs/pictures") : resolve(given), all ? everything() : SHOWN);
}
