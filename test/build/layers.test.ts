/** The layers hold, and each row of the table fires when an import breaks it. */
import { expect, test } from "bun:test";
import { dirname } from "node:path";
import { importsOf } from "../../scripts/imports.ts";
import { allViolations, LAYERS, TABLES, violations } from "../../scripts/layers.ts";

const ROOT = dirname(dirname(import.meta.dir));

test("the sources keep to the table", () => {
  expect(allViolations(ROOT)).toEqual([]);
});

const REFUSED: readonly (readonly [file: string, source: string])[] = [
  ["src/base/x.ts", 'import { isName } from "../model/name.ts"; isName("");'],
  ["src/base/x.ts", 'import type { Problem } from "../model/problem.ts";'],
  ["src/base/x.ts", 'import { dlopen } from "bun:ffi"; dlopen("", {});'],
  ["src/base/x.ts", 'import { type } from "arktype"; type("string");'],
  ["src/sqlite/x.ts", 'import type { Signal } from "../model/signal.ts";'],
  ["src/model/x.ts", 'export { openStore } from "../store/open.ts";'],
  ["src/model/x.ts", 'export type { NerveConfig } from "../config/parse.ts";'],
  ["src/sdk/x.ts", 'import { sql } from "drizzle-orm"; sql.raw("");'],
  ["src/sdk/x.ts", 'import type { Status } from "../control/contract.ts";'],
  ["senses/load/x.ts", 'import { record } from "../../src/sdk/options.ts"; record;'],
  ["src/config/x.ts", 'import { BUILT_IN_SENSES } from "../../senses/index.ts"; BUILT_IN_SENSES;'],
  ["src/config/x.ts", 'import type { Type } from "arktype";'],
  ["src/ipc/parse.ts", 'import type { type } from "arktype";'],
  ["src/ipc/definitions.ts", 'import { type } from "arktype"; type("string");'],
  ["src/store/x.ts", 'import { Database } from "bun:sqlite"; new Database();'],
  ["src/store/x.ts", 'import type { Engine } from "../kernel/engine.ts";'],
  ["src/worker/x.ts", 'import { openStore } from "../store/open.ts"; openStore;'],
  ["src/worker/x.ts", 'import type { NerveConfig } from "../config/parse.ts";'],
  ["src/worker/x.ts", 'const { compute } = await import("../../senses/load/index.ts"); compute;'],
  ["src/sense-worker/x.ts", 'import { ownCommand } from "../spawn/own-image.ts"; ownCommand("");'],
  ["src/sense-worker/x.ts", 'const open = () => require("../store/open.ts"); open();'],
  ["src/workflow-worker/x.ts", 'import { author } from "../sense-worker/author.ts"; author;'],
  ["src/workflow-worker/x.ts", 'import { openStore } from "../store/open.ts"; openStore;'],
  ["src/workflow-worker/x.ts", 'import { WORKFLOW_WORKER_ROLE } from "../spawn/own-image.ts"; WORKFLOW_WORKER_ROLE;'],
  ["src/sense-worker/x.ts", 'import { Execution } from "../workflow-worker/execution.ts"; Execution;'],
  ["src/workflows/x.ts", 'import { jsonCopy } from "../worker/json-copy.ts"; jsonCopy;'],
  ["src/workflows/exec/x.ts", 'import { parseDuration } from "../../base/duration.ts"; parseDuration("");'],
  ["src/kernel/x.ts", 'import { BUILT_IN_WORKFLOWS } from "../workflows/index.ts"; BUILT_IN_WORKFLOWS;'],
  ["src/kernel/x.ts", 'import { loadModule } from "../worker/load-module.ts"; loadModule;'],
  ["src/kernel/x.ts", 'import type { LoadedSense } from "../sense-worker/load-compute.ts";'],
  ["src/kernel/x.ts", 'type Loaded = import("../sense-worker/load-compute.ts").LoadedSense;'],
  ["src/kernel/x.ts", 'import type { Compute } from "../sdk/index.ts";'],
  ["src/kernel/x.ts", 'import { openWriter } from "../sqlite/open.ts"; openWriter;'],
  ["src/kernel/x.ts", 'import { runCommand } from "../cli/main.ts"; runCommand([]);'],
  ["src/kernel/x.ts", 'const { type } = require("arktype"); type;'],
  ["src/kernel/x.ts", 'import { eq } from "drizzle-orm"; eq;'],
  ["src/kernel/x.ts", 'import { ptr } from "bun:ffi"; ptr;'],
  ["src/kernel/x.ts", 'import { judge } from "./workers/blame.ts"; judge;'],
  ["src/kernel/time/x.ts", 'import type { Engine } from "../engine.ts";'],
  ["src/kernel/commits/x.ts", 'import type { Group } from "../senses/group.ts";'],
  ["src/kernel/somewhere-new/x.ts", "export const x = 1;"],
  ["src/cli/commands/logs.ts", 'import { startDaemon } from "../../kernel/daemon/boot.ts"; startDaemon;'],
  ["src/cli/screen/x.ts", 'import { findPlace } from "../place/place.ts"; findPlace;'],
  ["src/scratch/x.ts", 'import { judge } from "../kernel/workers/blame.ts"; judge;'],
  ["src/control/x.ts", 'import type { Status } from "../kernel/daemon/status.ts";'],
  ["src/cli/x.ts", 'import { runSenseWorker } from "../sense-worker/main.ts"; runSenseWorker(1);'],
  ["src/cli/x.ts", 'import { embedModules } from "../worker/modules.ts"; embedModules();'],
  ["src/cli/commands/x.ts", 'const { type } = await import("arktype"); type;'],
  ["senses/load/x.ts", 'import { parseDuration } from "../../src/base/duration.ts"; parseDuration("");'],
  ["senses/load/x.ts", 'import { samples } from "../memory/schema.ts"; samples;'],
  ["senses/names.ts", 'import { ok } from "../src/base/result.ts"; ok(1);'],
  ["src/somewhere-new/x.ts", "export const x = 1;"],
];

test.each(REFUSED)("%s refuses: %s", (file, source) => {
  expect(violations(file, source)).toHaveLength(1);
});

const ALLOWED: readonly (readonly [file: string, source: string])[] = [
  ["src/base/libc.ts", 'import { dlopen } from "bun:ffi"; dlopen("", {});'],
  ["src/ipc/definitions.ts", 'import type { type } from "arktype";'],
  ["src/sdk/index.ts", 'import type { BunSQLiteDatabase } from "drizzle-orm/bun-sqlite";'],
  ["src/kernel/host/x.ts", 'import { acquireLock } from "../../sqlite/lock.ts"; acquireLock("");'],
  ["src/kernel/time/deep/er.ts", 'import { Ticker } from "../ticker.ts"; Ticker;'],
  ["src/kernel/x.ts", 'import { Ticker } from "./time/ticker.ts"; import { nextDue } from "./y.ts"; Ticker, nextDue;'],
  ["src/cli/commands/start.ts", 'import { startDaemon } from "../../kernel/daemon/boot.ts"; startDaemon;'],
  ["src/main.ts", 'await import("./cli/main.ts");'],
  ["src/workflows/exec/x.ts", 'import { withAdvice } from "nerve/retry"; withAdvice;'],
  ["senses/load/index.ts", 'import { samples } from "./schema.ts"; import type { Compute } from "nerve"; samples;'],
];

test.each(ALLOWED)("%s allows: %s", (file, source) => {
  expect(violations(file, source)).toEqual([]);
});

test("an import is found however it is written, and in a comment it is none", () => {
  const source = `
import type { A } from "./a.ts";
import { type B } from "./b.ts";
import {
  c,
  type D,
} from "./c.ts";
import "./d.ts";
import text from "./e.sql" with { type: "text" };
export * from "./f.ts";
export type { G } from "./g.ts";
type H = import("./h.ts").H;
const i = () => require("./i.ts");
const j = await import("./j.ts");
// import { no } from "./no.ts";
/** import("./no.ts") */
console.log(c, text, i, j, "from", "./no.ts");
`;
  const found = importsOf(source, "ts").map(({ specifier, typeOnly }) => `${specifier}${typeOnly ? " type" : ""}`);
  expect(found.sort()).toEqual([
    "./a.ts type",
    "./b.ts type",
    "./c.ts",
    "./d.ts",
    "./e.sql",
    "./f.ts",
    "./g.ts type",
    "./h.ts type",
    "./i.ts",
    "./j.ts",
  ]);
});

test("no place has a row in two tables", () => {
  expect(TABLES.flatMap((table) => Object.keys(table)).sort()).toEqual(Object.keys(LAYERS).sort());
});

test("no row has outlived what it is about", async () => {
  const glob = new Bun.Glob("{src,senses}/**/*.{ts,tsx}");
  const files = [...glob.scanSync(ROOT)];
  const gone = Object.keys(LAYERS).filter((row) => {
    const folder = row.replace(/\/\*$/, "");
    return !files.some((file) => file === folder || file.startsWith(`${folder}/`));
  });
  expect(gone).toEqual([]);
});
