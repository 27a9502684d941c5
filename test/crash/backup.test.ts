/**
 * Backups under full load, onto disks that are full, and killed at every step: each that appears is whole, restores, and
 * holds rows and signals that agree; none appears half; a restore that was killed is begun anew, and no daemon starts on it.
 * NERVE_CRASH=full takes 50 backups under load, and kills at every call instead of some.
 */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { apart, leftIn, verb } from "../helpers/backup.ts";
import { CrashSite, type Kernel } from "../helpers/crash.ts";
import { type SmallDisk, smallDisk, whyNoSmallDisk } from "../helpers/small-disk.ts";
import { killedAtStep, whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";
import { findViolations } from "./checker.ts";
import { busyConfig, expectations, LISTENERS, prepare, QUIET, SENSES } from "./workload.ts";

setDefaultTimeout(7_200_000);

const FULL = process.env.NERVE_CRASH === "full";
const BACKUPS = FULL ? 50 : 4;
const WRITERS = ["writer-a", "writer-b", "writer-c", ...Object.keys(LISTENERS)];

/** A nerve under load. */
async function underLoad(site: CrashSite): Promise<Kernel> {
  prepare(site);
  const kernel = site.start();
  await kernel.up();
  await until("every listener has answered", () => site.countSignals("chain-c") > 0);
  return kernel;
}

/** Restores `backup` into a site of its own, lets a quiet nerve settle what is owed, and looks for violations. */
async function faultsOfRestored(backup: string): Promise<string[]> {
  await using site = new CrashSite(SENSES, busyConfig);
  prepare(site);
  const restored = await verb(site.folder, ["restore", backup, "-c", QUIET]);
  if (restored.code !== 0) return [`restore ended with ${restored.code}: ${restored.stderr}`];
  const kernel = site.start(QUIET);
  await kernel.up();
  await until("nothing is owed any more", () => site.isAtRest());
  const how = await kernel.stop();
  const rebuilt = await verb(site.folder, ["rebuild", "--check", "-c", QUIET]);
  return [
    ...(how === 0 ? [] : [`the restored nerve ended with ${how}: ${kernel.lastWords()}`]),
    ...(rebuilt.code === 0 ? [] : [`rebuild --check: ${rebuilt.stderr}`]),
    ...findViolations(site.data, expectations([], null)),
  ];
}

test(`each of ${BACKUPS} backups under full load is whole, restores, and holds rows and signals that agree`, async () => {
  await using site = new CrashSite(SENSES, busyConfig);
  await underLoad(site);
  const violations: string[] = [];
  let ofOneMoment = 0;
  for (let round = 1; round <= BACKUPS; round++) {
    const backup = join(site.folder, `backup-${round}`);
    const taken = await verb(site.folder, ["backup", backup, "--json"]);
    const proven = await verb(site.folder, ["backup", "--check", backup]);
    const found = [
      ...(taken.code === 0 ? [] : [`backup ended with ${taken.code}: ${taken.stderr}`]),
      ...(proven.code === 0 ? [] : [`backup --check ended with ${proven.code}: ${proven.stderr}`]),
      ...WRITERS.flatMap((sense) => apart(backup, sense)),
      ...(await faultsOfRestored(backup)),
    ];
    violations.push(...found.map((fault) => `backup ${round}: ${fault}`));
    if (taken.code === 0 && JSON.parse(taken.stdout).one_moment) ofOneMoment++;
    rmSync(backup, { recursive: true, force: true });
  }
  console.log(
    JSON.stringify({ test: "backup", backups: BACKUPS, of_one_moment: ofOneMoment, violations: violations.length }),
  );
  expect(violations).toEqual([]);
  expect(leftIn(site.folder)).toEqual([]);
});

const noDisk = whyNoSmallDisk();
if (noDisk !== null) console.warn(`skipped: backups on full disks, since ${noDisk}`);

test.skipIf(noDisk !== null)(
  "on a disk without room no backup appears, nothing is left, and nerve goes on",
  async () => {
    await using site = new CrashSite(SENSES, busyConfig);
    await underLoad(site);
    await until("there is more than fits", () => site.countSignals("writer-b") > 300);
    const disk = smallDisk(1) as SmallDisk;
    try {
      const backup = join(disk.path, "backup");
      const { code, stderr } = await verb(site.folder, ["backup", backup]);
      expect([code, stderr]).toEqual([75, expect.stringContaining("full")]);
      expect(readdirSync(disk.path)).toEqual([]);
      disk.resize(64);
      expect((await verb(site.folder, ["backup", backup])).code).toBe(0);
      expect((await verb(site.folder, ["backup", "--check", backup])).code).toBe(0);
      const before = site.countSignals("writer-a");
      await until("nerve goes on", () => site.countSignals("writer-a") > before);
    } finally {
      disk.unmount();
    }
  },
);

const noStrace = whyNoStrace();
if (noStrace !== null) console.warn(`skipped: kills of backups at exact calls, since ${noStrace}`);

/** Calls by which something gets a name, loses it, or becomes durable; the k-th of each kind, every so many. */
const CALLS: Readonly<Record<string, number>> = {
  mkdir: FULL ? 1 : 4,
  link: 1,
  rename: 1,
  unlink: FULL ? 1 : 10,
  fsync: FULL ? 1 : 9,
  pwrite64: FULL ? 3 : 80,
};
const MOST_STEPS = 2_000;

describe.skipIf(noStrace !== null)("killed at each step,", () => {
  /** Leaves a data directory that somebody has worked on. */
  async function worked(site: CrashSite): Promise<void> {
    const kernel = await underLoad(site);
    expect(await kernel.stop()).toBe(0);
    const text = "a blob";
    const digest = new Bun.CryptoHasher("sha256").update(text).digest("hex");
    const folder = join(site.data, "blobs/sha256", digest.slice(0, 2));
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, digest.slice(2)), text, { mode: 0o600 });
  }

  /** The k-th call of each kind in turn, until one comes to its end unharmed: `act` says which it was. */
  async function atEachStep(act: (wrapper: readonly string[], where: string) => Promise<boolean>) {
    const kills: Record<string, number> = {};
    for (const [call, stride] of Object.entries(CALLS)) {
      for (let k = 1; k < MOST_STEPS; k += stride) {
        const wrapper = killedAtStep({ k, call, paths: [], children: true });
        if (await act(wrapper, `${call} ${k}`)) break;
        kills[call] = (kills[call] ?? 0) + 1;
      }
    }
    return kills;
  }

  test("a backup appears whole or not at all, and the next one removes what is left", async () => {
    await using site = new CrashSite(SENSES, busyConfig);
    await worked(site);
    const folder = join(site.folder, "backups");
    const violations: string[] = [];
    const kills = await atEachStep(async (wrapper, where) => {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { mode: 0o700 });
      const backup = join(folder, "one");
      const { code } = await verb(site.folder, ["backup", backup], wrapper);
      if (existsSync(backup) && (await verb(site.folder, ["backup", "--check", backup])).code !== 0)
        violations.push(`${where}: half a backup`);
      const again = await verb(site.folder, ["backup", join(folder, "two")]);
      if (again.code !== 0) violations.push(`${where}: the next backup ended with ${again.code}: ${again.stderr}`);
      // A folder without a lock may be another's that is just beginning.
      const left = leftIn(folder).filter((name) => existsSync(join(folder, name, "lock")));
      if (left.length > 0) violations.push(`${where}: ${left.join()} stays`);
      return code === 0;
    });
    console.log(JSON.stringify({ test: "backup-kills", kills, violations: violations.length }));
    expect(violations).toEqual([]);
    expect(kills.fsync).toBeGreaterThan(0);
  });

  test("a restore is whole or is begun anew, and no daemon starts on half of one", async () => {
    await using site = new CrashSite(SENSES, busyConfig);
    await worked(site);
    const backup = join(site.folder, "backup");
    expect((await verb(site.folder, ["backup", backup])).code).toBe(0);
    const manifest = readFileSync(join(backup, "manifest.json"), "utf8");
    const violations: string[] = [];
    const kills = await atEachStep(async (wrapper, where) => {
      rmSync(site.data, { recursive: true, force: true });
      const { code } = await verb(site.folder, ["restore", backup], wrapper);
      const isWhole = existsSync(join(site.data, "logs.db")) && !existsSync(join(site.data, "restoring"));
      if (code === 0 && !isWhole) violations.push(`${where}: it ended well, and half is there`);
      if (!isWhole) {
        const begun = existsSync(join(site.data, "restoring"));
        const late = begun ? await verb(site.folder, ["nerve.yaml"]) : null;
        if (late !== null && late.code !== 78) violations.push(`${where}: a daemon started: ${late.stderr}`);
        const again = await verb(site.folder, ["restore", backup]);
        if (again.code !== 0) violations.push(`${where}: again it ended with ${again.code}: ${again.stderr}`);
      }
      violations.push(...WRITERS.flatMap((sense) => apart(site.data, sense)).map((fault) => `${where}: ${fault}`));
      return code === 0;
    });
    console.log(JSON.stringify({ test: "restore-kills", kills, violations: violations.length }));
    expect(violations).toEqual([]);
    expect(readFileSync(join(backup, "manifest.json"), "utf8")).toBe(manifest);
    expect((await verb(site.folder, ["backup", "--check", backup])).code).toBe(0);
    expect(kills.fsync).toBeGreaterThan(0);
  });
});
