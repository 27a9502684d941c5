/** G2, G9: a kernel sees that what it keeps its data in is no longer there. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { DataWatch } from "../../../src/kernel/host/data-watch.ts";
import { temporaryFolder } from "../../helpers/folder.ts";

function dataDirectory() {
  const folder = temporaryFolder();
  const data = folder.file("data");
  const make = (): void => {
    mkdirSync(`${data}/locks`, { recursive: true });
    for (const name of ["locks/kernel.lock", "logs.db", "logs.db-wal", "nerve.sock", "nerve.pid"]) {
      writeFileSync(`${data}/${name}`, "");
    }
  };
  make();
  return { data, make, watch: new DataWatch(data), [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

describe("lost is", () => {
  for (const file of ["", "/locks/kernel.lock", "/logs.db", "/logs.db-wal"]) {
    test(`${file === "" ? "the folder" : file} that was removed`, () => {
      using site = dataDirectory();
      expect(site.watch.lost()).toBeNull();
      rmSync(`${site.data}${file}`, { recursive: true });
      expect(site.watch.lost()).toMatchObject({ kind: "data-lost" });
      expect(site.watch.lost()?.message).toStartWith(`${site.data}${file} was removed while nerve ran`);
    });
  }

  test("a folder in whose place is another with the same files", () => {
    using site = dataDirectory();
    renameSync(site.data, `${site.data}.old`);
    site.make();
    expect(site.watch.lost()?.message).toStartWith(`${site.data} was replaced by another`);
  });

  test("logs.db in whose place a copy was put", () => {
    using site = dataDirectory();
    writeFileSync(`${site.data}/copy`, "");
    renameSync(`${site.data}/copy`, `${site.data}/logs.db`);
    expect(site.watch.lost()?.message).toStartWith(`${site.data}/logs.db was replaced by another`);
  });
});

test("what is written, and a pid file that is gone, is no loss", () => {
  using site = dataDirectory();
  writeFileSync(`${site.data}/logs.db`, "more");
  rmSync(`${site.data}/nerve.pid`);
  expect(site.watch.lost()).toBeNull();
});

test("a control socket that is gone is no loss, and is gone until it is made anew", () => {
  using site = dataDirectory();
  expect(site.watch.isSocketGone).toBe(false);
  rmSync(`${site.data}/nerve.sock`);
  expect([site.watch.lost(), site.watch.isSocketGone]).toEqual([null, true]);
  writeFileSync(`${site.data}/nerve.sock`, "");
  site.watch.socketRenewed();
  expect(site.watch.isSocketGone).toBe(false);
});
