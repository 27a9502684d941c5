/** What the kernel sees of paths of the host: files and folders, links, what is not there yet, and what is in its own data. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
} from "node:fs";
import { InotifyPathWatch } from "../../../src/kernel/host/path-watch.ts";
import { type Folder, temporaryFolder } from "../../helpers/folder.ts";
import { until } from "../../helpers/until.ts";

let folder: Folder;
let watch: InotifyPathWatch;
const limits: string[] = [];

beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(folder.file("data"));
  watch = new InotifyPathWatch(folder.file("data"));
  limits.length = 0;
});
afterEach(() => {
  watch.stop();
  folder[Symbol.dispose]();
});

const at = (...names: string[]): string => folder.file(...names);
const write = (...names: string[]): void => appendFileSync(at(...names), "x");

/** Resolves once `id` has changed. */
const changed = (id: string, what: string): Promise<unknown> =>
  until(what, () => {
    const news = watch.news();
    limits.push(...news.limits.map(({ text }) => text));
    return news.changed.has(id);
  });

/** Watches one path, from the moment at which that has begun. */
async function begin(path: string, match: string | null = null): Promise<void> {
  watch.watch([{ id: "it", path, match }]);
  await changed("it", "the watch has begun");
  await quiet();
}

/** Resolves once every place is found, and nothing more is new. */
async function quiet(): Promise<void> {
  await until("nothing is new any more", () => watch.news().changed.size === 0 && !watch.isLooking);
}

describe("a file", () => {
  test("that is written to, cut off, renamed, removed and made anew has changed each time", async () => {
    write("log");
    await begin(at("log"));
    write("log");
    await changed("it", "a line is seen");
    truncateSync(at("log"), 0);
    await changed("it", "the cut is seen");
    renameSync(at("log"), at("log.1"));
    await changed("it", "the new name is seen");
    write("log");
    await changed("it", "the next file is seen");
    unlinkSync(at("log"));
    await changed("it", "the removal is seen");
  });

  test("has not changed where its neighbour has", async () => {
    write("log");
    await begin(at("log"));
    write("other");
    write("log");
    await changed("it", "a line is seen");
    write("other");
    await quiet();
    expect(watch.news().changed.size).toBe(0);
  });

  test("whose folders are not there yet is seen when it comes, and when they go and come again", async () => {
    await begin(at("a", "b", "c", "log"));
    for (let times = 0; times < 2; times++) {
      mkdirSync(at("a", "b", "c"), { recursive: true });
      await changed("it", "the folders are seen");
      write("a", "b", "c", "log");
      await changed("it", "the file is seen");
      await quiet();
      write("a", "b", "c", "log");
      await changed("it", "a line is seen");
      await quiet();
      rmSync(at("a"), { recursive: true });
      await changed("it", "the removal is seen");
      await quiet();
    }
  });

  test("behind links changes with the file that the links lead to, and with each link", async () => {
    mkdirSync(at("far"));
    write("far", "one");
    write("far", "two");
    symlinkSync("far/one", at("middle"));
    symlinkSync(at("middle"), at("log"));
    await begin(at("log"));
    write("far", "one");
    await changed("it", "the target is seen");
    symlinkSync("far/two", at("next"));
    renameSync(at("next"), at("middle"));
    await changed("it", "the new target is seen");
    await quiet();
    write("far", "two");
    await changed("it", "what is written to the new target is seen");
    await quiet();
    write("far", "one");
    await quiet();
    expect(watch.news().changed.size).toBe(0);
  });

  test("in a folder that takes the place of another is seen", async () => {
    mkdirSync(at("logs"));
    mkdirSync(at("new"));
    await begin(at("logs", "log"));
    renameSync(at("logs"), at("old"));
    renameSync(at("new"), at("logs"));
    await changed("it", "the other folder is seen");
    await quiet();
    write("logs", "log");
    await changed("it", "a line in the new folder is seen");
  });
});

describe("a folder", () => {
  test("changes with files whose names match, and with no others", async () => {
    mkdirSync(at("logs"));
    await begin(at("logs"), "*.log");
    write("logs", "a.txt");
    await quiet();
    expect(watch.news().changed.size).toBe(0);
    write("logs", "a.log");
    await changed("it", "a file that matches is seen");
    renameSync(at("logs", "a.txt"), at("logs", "b.log"));
    await changed("it", "a file that now matches is seen");
  });

  test("that is not there yet is seen when it comes", async () => {
    await begin(at("later", "logs"), "*.log");
    mkdirSync(at("later", "logs"), { recursive: true });
    await changed("it", "the folder is seen");
    await quiet();
    write("later", "logs", "a.log");
    await changed("it", "a file is seen");
  });
});

test("nerve's own data is not watched, and neither is what a link leads to there", async () => {
  symlinkSync(at("data", "logs.db"), at("link"));
  await begin(at("link"));
  write("data", "logs.db");
  await quiet();
  expect(watch.news().changed.size).toBe(0);
  expect(limits).toContain(`${at("link")}: ${at("data")} is in nerve's own data, and is not watched`);
});

test("what cannot be seen is said: /proc, and a folder that nobody may read", async () => {
  watch.watch([{ id: "it", path: "/proc/loadavg", match: null }]);
  await changed("it", "the watch has begun");
  expect(limits.join("\n")).toContain("/proc/loadavg: /proc is in /proc, where changes are not seen");
});

test("after more than the operating system keeps everything may have changed", async () => {
  mkdirSync(at("busy"));
  mkdirSync(at("calm"));
  watch.watch([
    { id: "busy", path: at("busy"), match: "*" },
    { id: "calm", path: at("calm", "log"), match: null },
  ]);
  await changed("calm", "the watch has begun");
  await quiet();
  const most = Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8"));
  for (let n = 0; n < most + 1_000; n++) write("busy", `${n % 2}`);
  await changed("calm", "the calm one is looked at, too");
});
