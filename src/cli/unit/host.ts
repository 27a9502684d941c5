/**
 * Owns what this machine or the installed unit lacks for a configuration: one sentence with its remedy for each lack. It only
 * looks at files of the host, and runs no program and no user code.
 */
import { lstatSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Parts } from "../../config/pattern-parts.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { type Ask, LISTED, type Need } from "../../needs/asks.ts";
import { shellWord } from "../screen/shell-word.ts";
import { absences, exists, findProgram } from "./absent.ts";
import { type Account, accountOf, barrier, groupId } from "./account.ts";
import type { AskedConfig } from "./asked.ts";
import { grants, type InstalledUnit, readInstalled } from "./installed.ts";
import { closed, lack } from "./lack.ts";
import { credentialFile, type Opening, openingsOf, type UnitPlaces } from "./openings.ts";
import { POLKIT_FILE } from "./polkit.ts";
import { blindSpots, factsOfHost, type SourceFacts, serviceLack, sourceLacks, systemdLack } from "./sources.ts";

export interface HostFindings {
  readonly lacks: readonly Problem[];
  /** Remarks for a person. Nothing depends on them. */
  readonly notes: readonly string[];
}

/** With a capability that reads or writes every file, modes do not matter. */
const passesModes = (asks: readonly Ask[]): boolean =>
  asks.some(({ need }) => need.kind === "capability" && /^CAP_DAC_/.test(need.name));

/** The lack of an existing path: the account may not use it. */
function pathLack({ who, because }: Ask, need: Need & { kind: "path" | "device" }, account: Account): Problem | null {
  const { path, access, kind } = need;
  if (!path.startsWith("/") || !exists(path)) return null;
  const isRead = kind === "device" || because === "its `needs`" || LISTED.has(because);
  const found = barrier(account, path, access === "write" ? 2 : isRead ? 4 : null);
  return found === null ? null : closed(who, found, path, account, LISTED.has(because) ? "rx" : "rw");
}

/** The lack of an existing program: the account may not run it. */
function programLack(who: string, name: string, account: Account): Problem | null {
  const path = name.includes("/") && !name.startsWith("/") ? null : findProgram(name);
  if (path === null || !exists(path)) return null;
  const found = barrier(account, path, 1);
  if (found === null) return null;
  return lack(who, `the user ${account.name} may not run ${path}`, `chmod a+x ${shellWord(found)}`);
}

function groupLack(who: string, name: string, account: Account, unit: InstalledUnit | null, facts: SourceFacts) {
  const service = serviceLack(who, name, facts);
  if (service !== null) return service;
  const id = groupId(name);
  if (id === null) return lack(who, `there is no group ${name}`, `install what makes it, or groupadd --system ${name}`);
  // The comparison with the unit reports this in better words.
  if (unit !== null || account.uid === 0 || account.gids.has(id)) return null;
  return lack(who, `the user ${account.name} is not in the group ${name}`, `usermod -aG ${name} ${account.name}`);
}

function capabilityLack(who: string, name: string, account: Account, unit: InstalledUnit | null): Problem | null {
  if (unit !== null || account.uid === 0) return null;
  return lack(who, `the user ${account.name} has no ${name}`, "run nerve under the unit that `nerve unit` prints");
}

/** Null where the rules exist, or where this process may not read them. */
function permissionLack(who: string, action: string, account: Account): Problem | null {
  if (account.uid === 0 || !exists("/etc/polkit-1")) {
    if (account.uid === 0) return null;
    return lack(who, `polkit is not installed, so ${account.name} may not do ${action}`, "install polkit");
  }
  try {
    const text = readFileSync(POLKIT_FILE, "utf8");
    if (text.includes(JSON.stringify(action)) && text.includes(JSON.stringify(account.name))) return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return null;
  }
  const message = `${POLKIT_FILE} does not let ${account.name} do ${action}`;
  return lack(who, message, `write the rule that stands in the head of \`nerve unit\` into ${POLKIT_FILE}`);
}

function machineLack(ask: Ask, account: Account, unit: InstalledUnit | null, isFree: boolean, facts: SourceFacts) {
  const { who, need } = ask;
  switch (need.kind) {
    case "group":
      return groupLack(who, need.name, account, unit, facts);
    case "capability":
      return capabilityLack(who, need.name, account, unit);
    case "program":
      return programLack(who, need.name, account) ?? systemdLack(who, need.name, facts);
    case "permission":
      return permissionLack(who, need.permission.action, account);
    case "network":
      return null;
    default:
      return isFree ? null : pathLack(ask, need, account);
  }
}

const shown = ({ setting, value }: Opening): string =>
  setting === "IPAddressDeny" ? "the network, which IPAddressDeny= closes" : `${setting}=${value}`;

/** A command line of a unit without the characters that keep its words literal. */
const unescaped = (line: string): string =>
  line
    .replaceAll("$$", "$")
    .replaceAll("%%", "%")
    .replace(/\\(["\\])/g, "$1");

function unitLacks(
  unit: InstalledUnit,
  { config }: AskedConfig,
  places: UnitPlaces,
  openings: readonly Opening[],
): Problem[] {
  const name = basename(unit.file);
  const user = unit.one("User") ?? "root";
  const as = user === "nerve" ? "" : ` -u ${shellWord(user)}`;
  const renew = `nerve unit -c ${shellWord(config.file)}${as} > ${shellWord(unit.file)} && systemctl daemon-reload && systemctl restart ${shellWord(name)}`;
  const start = unit.one("ExecStart") ?? "";
  if (!unescaped(start).includes(places.config)) {
    const message = `${unit.file} does not run ${places.config}: ExecStart=${start}`;
    return [problem("host-lacks", message, `name the unit of this config with --unit, or: ${renew}`)];
  }
  const missing = openings.filter(({ setting, value }) => !grants(unit, setting, value));
  const byAskers = Map.groupBy(missing, ({ askers }) => askers.join(", "));
  return [...byAskers].map(([askers, closed]) =>
    lack(askers, `${unit.file} does not let this work: it lacks ${closed.map(shown).join(", ")}`, renew),
  );
}

/** The credentials that the daemon gets from files that only root may read. */
function credentialLacks({ outside }: AskedConfig, places: UnitPlaces, unit: InstalledUnit): Problem[] {
  return outside.credentials.flatMap((name) => {
    const source = unit.all("LoadCredential").find((one) => one.split(":")[0] === name);
    const file = source?.slice(name.length + 1) ?? "";
    if (!file.startsWith("/") || exists(file) || barrierHides(file)) return [];
    const hint = `install -D -m 0600 /dev/stdin ${shellWord(credentialFile(places.config, name))}`;
    return [lack(`\${credential:${name}}`, `there is no ${file}, so the unit does not start`, hint)];
  });
}

/** True when this process could not see the file even if the file existed. */
const barrierHides = (file: string): boolean => {
  try {
    lstatSync(join(dirname(file), "."));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES";
  }
};

const ITSELF = "nerve itself";

/** The lacks of nerve itself, for the user of the unit: what nerve runs, reads and writes. */
function ownLacks({ command, config, data }: UnitPlaces, unit: InstalledUnit, account: Account): Problem[] {
  const closedOnes = (
    [
      [command[0] ?? "", 1],
      [config, 4],
    ] as const
  ).flatMap(([path, right]) => {
    const found = barrier(account, path, right);
    return found === null ? [] : [closed(ITSELF, found, path, account)];
  });
  const owner = ownerOf(data);
  if (owner === null) {
    // systemd makes a StateDirectory by itself.
    if (unit.all("StateDirectory").length > 0) return closedOnes;
    const make = `install -d -m 0700 -o ${account.name} ${shellWord(data)}`;
    return [...closedOnes, lack(ITSELF, `there is no ${data}, so the unit does not start`, make)];
  }
  if (owner === account.uid) return closedOnes;
  const message = `${data} does not belong to the user ${account.name}`;
  return [...closedOnes, lack(ITSELF, message, `chown -R ${account.name} ${shellWord(data)}`)];
}

/** Null where nothing exists, or where this process may not look. */
function ownerOf(path: string): number | null {
  try {
    return lstatSync(path).uid;
  } catch {
    return null;
  }
}

/** The user of the unit; without a unit the owner of the data; without data the user of this process. */
function userOf(unit: InstalledUnit | null, data: string): string {
  const named = unit?.one("User") ?? null;
  if (unit !== null) return named ?? "root";
  return String(ownerOf(data) ?? process.geteuid?.() ?? 0);
}

const once = (problems: readonly Problem[]): Problem[] =>
  problems.filter((one, index) => problems.findIndex(({ message }) => message === one.message) === index);

export function lookAtHost(
  asked: AskedConfig,
  parts: Parts,
  places: UnitPlaces,
  unitName: string,
  facts: SourceFacts = factsOfHost(),
): HostFindings {
  const { asks, outside, remarks, config } = asked;
  const unit = readInstalled(unitName);
  const openings = openingsOf(asks, places, outside);
  const notes = [
    ...(facts.isSystemdRunning ? [] : ["systemd does not run on this machine: nothing is compared with it but files"]),
    ...(unit === null
      ? [`no unit ${unitName} is installed: \`nerve unit -c ${shellWord(config.file)}\` prints one`]
      : []),
    ...remarks.map(({ who, text }) => `${who}: ${text}`),
    ...blindSpots(asked, facts),
  ];
  const user = userOf(unit, config.data);
  const account = accountOf(user, unit?.all("SupplementaryGroups").flatMap((value) => value.split(/\s+/)) ?? []);
  const ofUnit =
    unit === null ? [] : [...unitLacks(unit, asked, places, openings), ...credentialLacks(asked, places, unit)];
  const absent = absences(asked, parts);
  if (account === null) {
    const hint = `useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin ${user}`;
    return { notes, lacks: [lack(unit?.file ?? unitName, `there is no user ${user}`, hint), ...absent, ...ofUnit] };
  }
  const own = unit === null ? [] : ownLacks(places, unit, account);
  const isFree = passesModes(asks);
  const ofMachine = asks.map((ask) => machineLack(ask, account, unit, isFree, facts)).filter((found) => found !== null);
  const ofSources = sourceLacks(asked, account, isFree, facts);
  return { notes, lacks: once([...own, ...absent, ...ofUnit, ...ofMachine, ...ofSources]) };
}
