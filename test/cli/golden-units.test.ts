/**
 * The whole unit for ten configs, as it is printed, beside each config in test/fixtures/units; what systemd's own tools say of
 * it. `GOLDEN=write bun test test/cli/golden-units.test.ts` writes the files anew: read what changed.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askedIn } from "../../src/cli/unit/asked.ts";
import { grants, readInstalled } from "../../src/cli/unit/installed.ts";
import { openingsOf } from "../../src/cli/unit/openings.ts";
import { systemdUnit } from "../../src/cli/unit/systemd-unit.ts";
import { readNerveConfig } from "../../src/config/parse.ts";
import { around } from "../helpers/config.ts";

const UNITS = join(import.meta.dir, "../fixtures/units");
const folder = mkdtempSync(join(tmpdir(), "nerve-units-"));
afterAll(() => rmSync(folder, { recursive: true }));

const hasSystemd = Bun.which("systemd-analyze") !== null;

/** The most that systemd rates each unit at, in tenths: what nobody asked for is closed. */
const EXPOSURE: Readonly<Record<string, number>> = {
  address: 14,
  docker: 14,
  elsewhere: 13,
  journal: 14,
  mend: 13,
  pager: 15,
  paths: 14,
  plain: 13,
  scripts: 13,
  smart: 29,
};

function partsFor(name: string) {
  const missing: string[] = [];
  const standIn = (written: string): string => {
    missing.push(written);
    return "stand-in";
  };
  const text = readFileSync(join(UNITS, `${name}.yaml`), "utf8");
  const read = readNerveConfig(text, around({ file: "/etc/nerve/nerve.yaml", standIn }));
  if (read.config === null || read.problems.length > 0) throw new Error(read.problems[0]?.message);
  const { config, ...asked } = askedIn(read.config, missing);
  // `systemd-analyze verify` wants the program to be there.
  return { command: ["/bin/true"], config: config.file, data: config.data, user: "nerve", ...asked };
}

const unitFor = (name: string): string => `${systemdUnit(partsFor(name))}\n`;

/** The unit for a config, read as `nerve check --host` reads an installed one. */
function installed(name: string) {
  const file = join(folder, `${name}.service`);
  writeFileSync(file, unitFor(name));
  const unit = readInstalled(file);
  if (unit === null) throw new Error(`${file} was not read`);
  return unit;
}

const openings = (name: string) => {
  const parts = partsFor(name);
  return openingsOf(parts.asks, parts, parts.outside).map(({ setting, value }) => [setting, value] as const);
};

function analyze(verb: string, file: string, ...options: string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["systemd-analyze", verb, ...options, file], {
    env: { ...process.env, SYSTEMD_PAGER: "", NO_COLOR: "1" },
  });
  return { exitCode, output: `${stdout}${stderr}` };
}

test("there are ten configs, and a rating for each", () => {
  const names = readdirSync(UNITS).filter((name) => name.endsWith(".yaml"));
  expect(names.sort()).toEqual(Object.keys(EXPOSURE).map((name) => `${name}.yaml`));
});

describe.each(Object.entries(EXPOSURE))("the unit for %s.yaml", (name, tenths) => {
  const golden = join(UNITS, `${name}.service`);

  test("is as it stands beside the config", () => {
    if (process.env.GOLDEN === "write") writeFileSync(golden, unitFor(name));
    expect(unitFor(name)).toBe(readFileSync(golden, "utf8"));
  });

  test("is found to open all that is asked for, and the unit of a config in which nobody asks nothing of it", () => {
    const [own, plain] = [installed(name), installed("plain")];
    expect(openings(name).filter(([setting, value]) => !grants(own, setting, value))).toEqual([]);
    expect(openings(name).filter(([setting, value]) => grants(plain, setting, value))).toEqual([]);
  });

  test.if(hasSystemd)("is accepted by systemd without a word", () => {
    const file = join(folder, `${name}.service`);
    writeFileSync(file, unitFor(name));
    const { exitCode, output } = analyze("verify", file, "--man=no");
    expect(output.replaceAll(/^.*(?:not found|plymouth).*$/gm, "").trim()).toBe("");
    expect(exitCode).toBe(0);
  });

  test.if(hasSystemd)("is exposed no more than what it was asked for", () => {
    const file = join(folder, `${name}.service`);
    writeFileSync(file, unitFor(name));
    const { exitCode, output } = analyze("security", file, "--offline=true", `--threshold=${tenths}`);
    const rating = /Overall exposure level.*$/m.exec(output)?.[0] ?? "no rating";
    console.log(`${name}: ${rating}`);
    expect(rating).toContain("Overall exposure level");
    expect(exitCode).toBe(0);
  });
});
