/** The page in a real browser, on a made-up host: what it shows, by keyboard alone, at each width, and what it does when nerve is gone. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import axe from "axe-core";
import type { Browser, Page } from "puppeteer-core";
import { until } from "../helpers/until.ts";
import { CHROMIUM, launch, openPage, settled, show, THEMES, text, type Watched, WIDTHS } from "../page/browser.ts";
import { type FixtureServer, startFixture } from "../page/server.ts";
import { EMPTY } from "../page/world/empty.ts";
import { FLEETED, OTLP } from "../page/world/fleet.ts";
import { HOSTILE, MARKUP } from "../page/world/hostile.ts";
import { LIVE, STATUS } from "../page/world/live.ts";
import { log, NOW } from "../page/world/shapes.ts";

setDefaultTimeout(120_000);

const VIEWS = [
  "now",
  "senses",
  "signals",
  "story?sel=run%3A2",
  "reflexes",
  "runs?sel=5",
  "incidents",
  "logs",
  "graph",
  "store",
] as const;

if (CHROMIUM === null) console.error("skipped: no Chromium on this machine (Debian: apt-get install chromium)");

describe.skipIf(CHROMIUM === null)("the page in a browser", () => {
  let browser: Browser;
  let server: FixtureServer;

  beforeAll(async () => {
    [browser, server] = await Promise.all([launch(), startFixture(LIVE)]);
  });

  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  /** A page of its own, closed again; a page that complains fails the test. */
  async function looking(
    width: number,
    theme: "light" | "dark",
    act: (watched: Watched) => Promise<void>,
  ): Promise<void> {
    const watched = await openPage(browser, width, theme);
    try {
      await act(watched);
      expect(watched.errors).toEqual([]);
    } finally {
      await watched.page.browserContext().close();
    }
  }

  const value = <T>(page: Page, script: string): Promise<T> => page.evaluate(script) as Promise<T>;
  const heading = (page: Page): Promise<string> => text(page, "h1.title");

  test("Now says without a click whether the host is well, since when, and what happened", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(LIVE);
      await show(page, server.url, "#/now");
      expect(await text(page, ".sentence")).toMatch(
        /^Critical for 1 min \d+ s: queue thumbnails is stuck at 954, CPU is at 100 %, and 5 more\.$/,
      );
      expect(await value<number>(page, "document.querySelectorAll('.att li').length")).toBe(7);
      expect(await text(page, ".att li .cmd")).toBe("nerve ack 5");
      const titles = await value<string[]>(
        page,
        "[...document.querySelectorAll('.plot h3')].map((one) => one.textContent)",
      );
      expect(titles).toEqual([
        "CPU",
        "CPU pressure",
        "Load per core",
        "Memory",
        "Disk I/O",
        "Network",
        "Disk /",
        "Disk /tmp",
        "queue-depth",
      ]);
      expect(await text(page, ".side")).toContain("run 7 of page started");
    }));

  test("the first view costs a bounded number of requests", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(LIVE);
      await show(page, server.url, "#/now");
      // A page that is open for a while, or whose width settles late, asks again: what is bounded is what it asks for.
      const asked = new Set(server.asked().map((path) => path.replace(/\b(from|to|since|width)=\d+/g, "$1")));
      console.log(JSON.stringify({ page: "requests of the first view", amount: asked.size }));
      expect(asked.size).toBeLessThanOrEqual(30);
    }));

  /** Each theme and each width is looked at, and axe sees each view once; `NERVE_CRASH=full` looks at everything everywhere. */
  const FULL = process.env.NERVE_CRASH === "full";
  const LOOKS = THEMES.flatMap((theme) => WIDTHS.map((width) => ({ theme, width })));
  const SHORT = [
    { theme: "light", width: 1440 },
    { theme: "dark", width: 800 },
    { theme: "dark", width: 375 },
  ] as const;
  /** What axe calls serious or critical, of the rules of WCAG A and AA. */
  const AXE = `axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map(({ target }) => target.join(" ")).join(", ")))`;
  /** All that can be pressed has a mark, and loses the mark once it has the focus. */
  const MARK_PRESSABLE = `for (const one of document.querySelectorAll("a[href], button, input, summary, [tabindex='0']"))
      if (one.checkVisibility({ visibilityProperty: true }) && one.closest(".skip") === null) one.dataset.press = "";
    document.addEventListener("focusin", ({ target }) => { delete target.dataset.press; });
    document.activeElement?.blur();`;
  const SHIFTS = `self.shifted = 0;
    new PerformanceObserver((list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) self.shifted += one.value; })
      .observe({ type: "layout-shift", buffered: true });`;

  for (const [turn, { theme, width }] of (FULL ? LOOKS : SHORT).entries()) {
    test(`every view at ${width} px, ${theme}: no page scroll, no layout shift, no error, nothing that axe finds serious`, () =>
      looking(width, theme, async ({ page }) => {
        server.show(LIVE);
        await page.evaluateOnNewDocument(SHIFTS);
        await show(page, server.url, "#/now");
        await page.evaluate(axe.source);
        const found: Record<string, unknown> = {};
        let before = 0;
        for (const [nth, view] of VIEWS.entries()) {
          await show(page, server.url, `#/${view}`);
          const shifted = await value<number>(page, "self.shifted");
          if (shifted - before >= 0.1) found[`${view} shifts by`] = shifted - before;
          before = shifted;
          const wide = await value<number>(page, "document.documentElement.scrollWidth - innerWidth");
          if (wide > 0) found[`${view} scrolls by`] = wide;
          if (!FULL && nth % SHORT.length !== turn) continue;
          const serious = await value<string[]>(page, AXE);
          if (serious.length > 0) found[`${view} axe`] = serious;
        }
        expect(found).toEqual({});
      }));
  }

  test("an empty host: each view says which command comes next", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(EMPTY);
      const commands: Record<string, string | null> = {};
      for (const view of [
        "now",
        "senses",
        "signals",
        "story",
        "reflexes",
        "runs",
        "incidents",
        "logs",
        "graph",
        "store",
      ]) {
        await show(page, server.url, `#/${view}`);
        commands[view] = await value<string | null>(
          page,
          "document.querySelector('main [data-command]')?.dataset.command ?? null",
        );
      }
      expect(Object.entries(commands).filter(([, command]) => command === null)).toEqual([]);
      expect(commands).toMatchObject({ now: "nerve library", runs: "nerve run NAME '{}'" });
    }));

  test("markup, bidi and escapes in every text of others stay text", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(HOSTILE);
      for (const view of [
        "now",
        "senses?sel=processes",
        "signals?sel=7",
        "story?sel=signal%3A7",
        "reflexes",
        "runs?sel=1",
        "incidents",
        "logs?level=debug&sel=3",
        "graph",
        "store",
      ]) {
        await show(page, server.url, `#/${view}`);
        expect(
          await value<number>(page, "document.querySelectorAll('main img, main script, main iframe').length"),
        ).toBe(0);
        expect(await value<boolean>(page, "'owned' in self")).toBe(false);
        const hidden = await value<string[]>(
          page,
          `[...document.querySelectorAll("body *")]
            .flatMap((one) => [one.title, one.ariaLabel, ...[...one.childNodes].map(({ nodeValue }) => nodeValue)])
            .flatMap((text) => (text ?? "").match(/[\\u202e\\u2066\\u200f\\u001b\\u0000]/g) ?? [])`,
        );
        expect([view, ...hidden]).toEqual([view]);
      }
      await show(page, server.url, "#/signals?sel=7");
      expect(await text(page, "tr.x pre")).toContain(JSON.stringify(MARKUP));
    }));

  test("by the keyboard alone: views, filter, rows, keys, theme, pause", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(LIVE);
      await show(page, server.url, "#/now");
      await page.keyboard.press("g");
      await page.keyboard.press("s");
      await page.waitForFunction("location.hash === '#/senses'");
      await settled(page);
      await page.keyboard.press("/");
      await page.keyboard.type("state:failing");
      await page.waitForFunction("document.querySelectorAll('tbody tr').length === 2");
      await page.keyboard.press("Escape");
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      await page.waitForFunction("location.hash.includes('sel=backup-age') && document.querySelector('tr.x') !== null");
      await page.keyboard.press("?");
      await page.waitForSelector("dialog[open]");
      await page.keyboard.press("Escape");
      await page.waitForSelector("dialog:not([open])");
      await page.keyboard.press("Escape");
      await page.waitForFunction("document.querySelector('tr.x') === null");
      await page.keyboard.press("\\");
      await page.waitForFunction("document.documentElement.dataset.theme === 'light'");
      await page.keyboard.press("Space");
      await page.waitForFunction("document.querySelector('[role=status]').textContent.startsWith('paused')");
    }));

  test("the Tab key reaches all that can be pressed", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(LIVE);
      const missed: Record<string, string[]> = {};
      for (const view of FULL ? VIEWS : ["now", "reflexes"]) {
        await show(page, server.url, `#/${view}`);
        await value(page, MARK_PRESSABLE);
        const amount = await value<number>(page, "document.querySelectorAll('[data-press]').length");
        expect(amount).toBeGreaterThan(10);
        for (let nth = 0; nth < amount + 2; nth += 1) await page.keyboard.press("Tab");
        const left = await value<string[]>(
          page,
          "[...document.querySelectorAll('[data-press]')].map((one) => one.outerHTML.slice(0, 80))",
        );
        if (left.length > 0) missed[view] = left;
      }
      expect(missed).toEqual({});
    }));

  test("a browser whose clock is an hour ahead shows the ages of the host", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(LIVE);
      await page.evaluateOnNewDocument(
        "{ const right = Date.now; Date.now = () => right() + 3_600_000; self.Date = new Proxy(Date, { construct: (of, given) => given.length === 0 ? new of(Date.now()) : new of(...given) }); }",
      );
      await show(page, server.url, "#/now");
      expect(await text(page, ".sentence")).toMatch(/^Critical for 1 min \d+ s: /);
      expect(await text(page, "[role=status]")).toBe("live");
      await show(page, server.url, "#/senses");
      const ages = await value<string[]>(
        page,
        "[...document.querySelectorAll('tbody td time')].map((one) => one.textContent)",
      );
      expect(ages.filter((age) => /\b(min|h|d)\b/.test(age) && !/^[1-5] min/.test(age))).toEqual([]);
    }));

  test("a hidden tab has no stream, and shows what came meanwhile when it is shown again", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(LIVE);
      server.cut();
      await show(page, server.url, "#/logs");
      await until("the stream stands", () => server.streams() === 1);
      const hide = (hidden: boolean): Promise<unknown> =>
        page.evaluate(
          `Object.defineProperty(document, "hidden", { configurable: true, get: () => ${hidden} }); document.dispatchEvent(new Event("visibilitychange"));`,
        );
      await hide(true);
      await until("no stream stands", () => server.streams() === 0);
      server.show({ ...LIVE, logs: [...LIVE.logs, log(3_000, NOW, { message: "while it was hidden" })] });
      await hide(false);
      await page.waitForFunction("document.querySelector('.lg').textContent.includes('while it was hidden')");
      await until("the stream stands again", () => server.streams() === 1);
    }));

  test("a sense with an inbox says how much waits and is dead, in its row and where the row opens, and what to type", () =>
    looking(375, "dark", async ({ page }) => {
      server.show(LIVE);
      await show(page, server.url, "#/senses?q=queue-depth&sel=queue-depth");
      const texts = await value<string[]>(
        page,
        "['tbody tr', 'tr.x'].map((one) => document.querySelector(one).textContent)",
      );
      expect(texts[0]).toContain("2 dead items");
      expect(texts[1]).toMatch(/Inbox12 waiting, 2 dead, the newest \d+ s ago/);
      expect(texts[1]).toContain("nerve inbox queue-depth");
    }));

  test("a host with a fleet says on Now how its links are, which hosts are silent, and when each was heard last", () =>
    looking(375, "dark", async ({ page }) => {
      server.show(FLEETED);
      await show(page, server.url, "#/now");
      const panel = await value<string[]>(
        page,
        `[...document.querySelectorAll(".side .panel")].find((one) => one.querySelector("h2").textContent === "Fleet").innerText.split("\\n")`,
      );
      expect(panel.slice(0, 3)).toEqual(["Fleet", "2 silent", "13 up"]);
      const said = panel.join("\n");
      expect(said).toMatch(/Out\noffline\nsince \S+ · next try in \d+ s · 1.204 signals wait · no server/);
      expect(said).toMatch(/In\nbehind\n1 frame waits/);
      expect(said).toMatch(/OTLP signals\nrefusing\nsince \S+ · 1.288 refused · it answered 400/);
      expect(said).toMatch(/OTLP logs\nconnected\nnothing waits/);
      expect(said).toMatch(/web2\nconflict\nheard/);
      expect(said).toMatch(/web3\nclock off\nheard[^\n]*\nweb4\nlate\nheard/);
      expect(said).toMatch(/basement\S+\nsilent\nsince \S+ · heard \d[^\n]* ago · 12 missing/);
      expect(said).toMatch(/never-heard\nsilent\nsince \S+ · never heard\n/);
      expect(said).toMatch(/web1\nup\nheard \d[^\n]* ago\n/);
      expect(panel.filter((line) => line === "up")).toHaveLength(3);
      expect(said).toMatch(/\n7 more\s+nerve fleet status$/);
      expect(await text(page, ".att")).toContain("The fleet of this host is not well");
      expect(await value<number>(page, "document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
      await show(page, server.url, "#/signals?q=sense%3Aweb1%2F");
      expect(await text(page, "tbody")).toContain("web1/load");
      expect(server.asked()).toContainEqual(expect.stringContaining("sense=*web1%2F*"));
    }));

  test("a host that sends by OTLP alone has a panel of that", () =>
    looking(375, "light", async ({ page }) => {
      server.show({ ...LIVE, status: { ...STATUS, otlp: OTLP } });
      await show(page, server.url, "#/now");
      await page.waitForFunction(
        `[...document.querySelectorAll(".side .panel h2")].some((one) => one.textContent === "OTLP")`,
      );
      expect(server.asked().filter((path) => path.includes("hosts"))).toEqual([]);
    }));

  test("a host without a fleet says nothing of a fleet, and asks for no hosts", () =>
    looking(375, "dark", async ({ page }) => {
      server.show(LIVE);
      await show(page, server.url, "#/now");
      expect(await text(page, "main")).not.toMatch(/fleet/i);
      expect(server.asked().filter((path) => path.includes("hosts"))).toEqual([]);
    }));

  test("the URL is the state: a reload restores the view, the filter and the open row, and back goes back", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(LIVE);
      await show(page, server.url, "#/senses?q=backup&sel=backup-age&range=1h");
      const shown = () =>
        value<string[]>(
          page,
          "[document.querySelector('#filter').value, document.querySelector('tr.open .rowb').textContent, document.querySelector('.bar [aria-pressed=true]').textContent]",
        );
      expect(await shown()).toEqual(["backup", "backup-age", "1 h"]);
      await page.reload({ waitUntil: "domcontentloaded" });
      await page.waitForSelector("tr.x");
      expect(await shown()).toEqual(["backup", "backup-age", "1 h"]);
      await page.click(".rail a[href*=runs]");
      await page.waitForFunction("document.querySelector('h1.title').textContent === 'Runs'");
      await page.goBack();
      await page.waitForSelector("tr.x");
      expect(await heading(page)).toBe("Senses");
    }));

  test("every row of Now says the second under the pointer, and a drag chooses the stretch", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(LIVE);
      await show(page, server.url, "#/now");
      await page.waitForFunction("document.querySelector('.plot canvas').width > 0");
      const area = await page.$eval(".plot .ar", (element) => {
        const { left, top, width } = element.getBoundingClientRect();
        return { left, top, width };
      });
      const y = area.top + 20;
      await page.mouse.move(area.left + area.width * 0.5, y);
      await page.waitForSelector(".plots.hov .cross");
      expect(await text(page, ".cross span")).toMatch(/^06:2[56]:\d\d$/);
      expect(await text(page, ".two .ph h2")).toMatch(/^06:2[56]:\d\d$/);
      await page.mouse.down();
      await page.mouse.move(area.left + area.width * 0.75, y, { steps: 4 });
      await page.mouse.up();
      await page.waitForFunction("/from=\\d+&to=\\d+/.test(location.hash)");
    }));

  test("a cut connection is resumed behind what was heard: nothing is lost, nothing comes twice", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(LIVE);
      await show(page, server.url, "#/logs");
      await until("the stream stands", () => server.streams() > 0);
      const seen = (): Promise<string[]> =>
        value<string[]>(
          page,
          "[...document.querySelectorAll('.lr .m')].map((one) => one.textContent).filter((one) => one.startsWith('event '))",
        );
      const all: string[] = [];
      for (let nth = 1; nth <= 4; nth += 1) {
        const message = `event ${nth}`;
        all.push(message);
        const before = server.resumed.length;
        server.send("log", log(1_000 + nth, NOW, { message }), `s0.l${1_000 + nth}`);
        await until(`${message} is on the page`, async () => (await seen()).includes(message));
        server.cut();
        await until("the stream stands again", () => server.streams() > 0 && server.resumed.length > before);
        expect(server.resumed.at(-1)).toBe(`s0.l${1_000 + nth}`);
      }
      expect(await seen()).toEqual(all);
    }));

  test("a web process that is gone is said, values are dimmed, and the page goes on when it is back", () =>
    looking(1440, "light", async ({ page, errors }) => {
      server.show(LIVE);
      await show(page, server.url, "#/now");
      await server.down();
      await page.waitForFunction("document.querySelector('[role=status]').textContent.startsWith('reconnecting')");
      await page.waitForFunction(
        "document.querySelector('[role=status]').textContent.startsWith('nerve is down since')",
      );
      expect(await text(page, ".sentence")).toMatch(/^nerve is down since 06:2\d:\d\d; this is what it last said\.$/);
      expect(await value<boolean>(page, "document.documentElement.classList.contains('old')")).toBe(true);
      server.up();
      await page.waitForFunction("document.querySelector('[role=status]').textContent === 'live'");
      await page.waitForFunction("document.querySelector('.sentence').textContent.startsWith('Critical')");
      // The browser itself reports each request that nobody answered.
      expect(errors.filter((error) => !error.includes("net::ERR_"))).toEqual([]);
      errors.length = 0;
    }));

  test("a kernel that is silent is said", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(LIVE);
      await show(page, server.url, "#/now");
      server.send("link", { state: "silent", answered_at: NOW - 30_000, at: NOW }, null);
      await page.waitForFunction(
        "document.querySelector('[role=status]').textContent === 'the kernel is silent since 06:27:54'",
      );
      expect(await text(page, ".sentence")).toBe(
        "The kernel of nerve is silent since 06:27:54; this is what it last said.",
      );
    }));

  test("a connection that says nothing for 12 s is said to be stale, values are dimmed, and the page goes on with its next word", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(LIVE);
      await show(page, server.url, "#/now");
      const says = (status: string, isOld: boolean): string =>
        `document.querySelector('[role=status]').textContent.startsWith('${status}') && document.documentElement.classList.contains('old') === ${isOld}`;
      await page.waitForFunction(says("live", false));
      // The browser's clock goes 13 s on in a moment, and its timers do not. An answer sets the page's clock right again.
      const go = "{ const right = Date.now; Date.now = () => right() + 13_000; }";
      await until("the page says so", () => page.evaluate(`${go} ${says("stale since", true)}`) as Promise<boolean>);
      server.send("link", { state: "up", answered_at: NOW, at: NOW }, null);
      await page.waitForFunction(says("live", false));
    }));

  test("tabs of one browser share one stream", async () => {
    server.show(LIVE);
    server.cut();
    const context = await browser.createBrowserContext();
    try {
      const tabs: Page[] = [];
      for (let nth = 0; nth < 3; nth += 1) {
        const page = await context.newPage();
        await show(page, server.url, "#/logs");
        tabs.push(page);
      }
      await until("one stream stands", () => server.streams() > 0);
      server.send("log", log(2_000, NOW, { message: "to all tabs" }), "s0.l2000");
      const visible = tabs.at(-1);
      await visible?.waitForFunction("document.querySelector('.lg').textContent.includes('to all tabs')");
      expect(server.streams()).toBe(1);
    } finally {
      await context.close();
    }
  });

  test("a browser without a session is told what to type, and the code of the link is exchanged and forgotten", () =>
    looking(1440, "light", async ({ page, errors }) => {
      server.show(LIVE);
      server.refuse(true);
      await page.goto(`${server.url}/`, { waitUntil: "domcontentloaded" });
      await page.waitForSelector("main.refused");
      expect(await text(page, "main.refused .cmd")).toBe("nerve open");
      server.refuse(false);
      expect(errors.filter((error) => !error.includes("401"))).toEqual([]);
      errors.length = 0;
      server.asked();
      await page.goto("about:blank");
      await show(page, server.url, "#open=SECRET");
      expect(await value<string>(page, "location.hash")).toBe("#/now");
      expect(server.asked().filter((path) => path.includes("SECRET"))).toEqual([]);
    }));

  test("at 800 px a summary is read whole, a fold says its stretch and its count, Store says what nobody has looked at", () =>
    looking(800, "light", async ({ page }) => {
      server.show(LIVE);
      await show(page, server.url, "#/incidents");
      const cuts =
        "[...document.querySelectorAll('.incidents a')].filter((one) => one.scrollHeight > one.clientHeight + 1)";
      expect(await value<number>(page, "document.querySelectorAll('.incidents a').length")).toBeGreaterThan(1);
      expect(await value<number>(page, `${cuts}.length`)).toBe(0);
      await show(page, server.url, "#/reflexes?sel=queue-stuck");
      const whens = await value<string[]>(
        page,
        "[...document.querySelectorAll('.decisions td:first-child')].map((one) => one.textContent)",
      );
      expect(whens).toContain("06:23:31–06:25:40 44 times");
      const lasts = whens.map((when) => /(\d\d:\d\d:\d\d)(?! ?–)/.exec(when.replace(/^[^–]*–/, ""))?.[1] ?? when);
      expect(lasts).toEqual([...lasts].sort().reverse());
      await show(page, server.url, "#/store");
      expect(await text(page, "main")).toContain("nobody has looked at the tables (nerve rebuild --check)");
    }));

  test("what is one long word stays in its row, at each width", async () => {
    const word = "x".repeat(200);
    const incidents = LIVE.incidents.map((row) => ({ ...row, summary: word }));
    server.show({ ...LIVE, incidents });
    for (const width of WIDTHS)
      await looking(width, "light", async ({ page }) => {
        await show(page, server.url, "#/now");
        expect(await value<number>(page, "document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
        expect((await text(page, ".sentence")).length).toBeLessThan(160);
      });
    server.show(LIVE);
  });

  test("the rail follows a restart in each view, also where another view has shown the same answers before", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(LIVE);
      await show(page, server.url, "#/now");
      await page.keyboard.press("g");
      await page.keyboard.press("s");
      await page.waitForSelector(".senses");
      const { status } = LIVE;
      server.show({ ...LIVE, status: { ...status, kernel: { ...status.kernel, started_at: NOW - 3 * 86_400_000 } } });
      await page.waitForFunction("/up 3 d/.test(document.querySelector('.rail .foot').textContent)");
      server.show(LIVE);
    }));

  test("a narrow screen chooses the range behind More", () =>
    looking(375, "light", async ({ page }) => {
      server.show(LIVE);
      await show(page, server.url, "#/now");
      await page.click(".more summary");
      await page.click(".sheet .seg button:last-child");
      await page.waitForFunction("/range=7d/.test(location.hash)");
    }));

  test("an act is a command to copy", () =>
    looking(1440, "light", async ({ page }) => {
      server.show(LIVE);
      await page.browserContext().overridePermissions(server.url, ["clipboard-read", "clipboard-write"]);
      await show(page, server.url, "#/incidents");
      await page.click("[data-command='nerve ack 5']");
      await page.waitForFunction("document.querySelector('.toast.on')?.textContent === 'Copied: nerve ack 5'");
      expect(await value<string>(page, "navigator.clipboard.readText()")).toBe("nerve ack 5");
    }));
});
