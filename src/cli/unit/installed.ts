/** Owns an installed systemd unit: its file and its drop-ins, read as systemd reads them. Source: systemd.unit(5). */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

export interface InstalledUnit {
  readonly file: string;
  /** Every value of a setting since the setting was last emptied, in order. */
  all(setting: string): readonly string[];
  /** True when the setting is present, even where it is emptied. */
  isSet(setting: string): boolean;
  /** The value in force, or null. */
  one(setting: string): string | null;
}

const FOLDERS = [
  "/etc/systemd/system",
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
];

const textOf = (file: string): string | null => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
};

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".conf"));
  } catch {
    return [];
  }
};

/** The setting and the value of each line of the section `Service`. */
function settingsIn(text: string): [string, string][] {
  let section = "";
  const found: [string, string][] = [];
  for (const line of text
    .replace(/\\\n/g, " ")
    .split("\n")
    .map((one) => one.trim())) {
    if (line === "" || /^[#;]/.test(line)) continue;
    const heading = /^\[(.*)\]$/.exec(line)?.[1];
    if (heading !== undefined) section = heading;
    const at = line.indexOf("=");
    if (heading === undefined && section === "Service" && at > 0)
      found.push([line.slice(0, at).trim(), line.slice(at + 1).trim()]);
  }
  return found;
}

/** Drop-ins in the order of their names. Where two have the same name, the drop-in in the first folder counts. */
function dropInsOf(unit: string, folders: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const folder of folders) {
    for (const name of namesIn(join(folder, `${unit}.d`))) {
      if (!byName.has(name)) byName.set(name, join(folder, `${unit}.d`, name));
    }
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
}

/** `unit` is the name of a unit, or the path of a file. Null where there is no such unit. */
export function readInstalled(unit: string, folders: readonly string[] = FOLDERS): InstalledUnit | null {
  const isPath = unit.includes("/");
  const name = basename(unit).endsWith(".service") ? basename(unit) : `${basename(unit)}.service`;
  const candidates = isPath ? [unit] : folders.map((folder) => join(folder, name));
  const file = candidates.find((candidate) => textOf(candidate) !== null);
  if (file === undefined) return null;
  const places = isPath ? [join(file, "..")] : folders;
  const values = new Map<string, string[]>();
  for (const source of [file, ...dropInsOf(name, places)]) {
    for (const [setting, value] of settingsIn(textOf(source) ?? "")) {
      if (value === "") values.set(setting, []);
      else values.set(setting, [...(values.get(setting) ?? []), value]);
    }
  }
  return {
    file,
    all: (setting) => values.get(setting) ?? [],
    isSet: (setting) => values.has(setting),
    one: (setting) => values.get(setting)?.at(-1) ?? null,
  };
}

const isOn = (value: string | null): boolean => /^(?:yes|true|on|1)$/i.test(value ?? "");

/** A quoted word may hold spaces. */
const WORD = /"(?:\\.|[^"\\])*"|\S+/g;

/** The values of a setting that adds up: all words, without the words that a later `~` removes. */
function wordsOf(unit: InstalledUnit, setting: string): Set<string> {
  const found = new Set<string>();
  for (const value of unit.all(setting)) {
    const isInverted = value.startsWith("~");
    for (const word of value.replace(/^~/, "").match(WORD) ?? []) {
      if (isInverted) found.delete(word);
      else found.add(word);
    }
  }
  return found;
}

const unquoted = (word: string): string => word.replace(/^"(.*)"$/, "$1").replace(/^-/, "");

const hasPath = (unit: InstalledUnit, settings: readonly string[], path: string): boolean =>
  settings
    .flatMap((setting) => [...wordsOf(unit, setting)])
    .map(unquoted)
    .some((root) => path === root || path.startsWith(`${root.replace(/\/$/, "")}/`));

type Grants = (unit: InstalledUnit, value: string, setting: string) => boolean;

const listed: Grants = (unit, value, setting) => unit.all(setting).length === 0 || wordsOf(unit, setting).has(value);
const given: Grants = (unit, value, setting) => wordsOf(unit, setting).has(value);
const notOn: Grants = (unit, _value, setting) => !isOn(unit.one(setting));

const isEveryAddressOpen = (unit: InstalledUnit): boolean =>
  !wordsOf(unit, "IPAddressDeny").has("any") || wordsOf(unit, "IPAddressAllow").has("any");

/** How a unit shows that a setting opens something. Everything that a unit does not restrict is open. */
const GRANTS: Readonly<Record<string, Grants>> = {
  SupplementaryGroups: given,
  AmbientCapabilities: given,
  // An emptied setting is the empty set of capabilities.
  CapabilityBoundingSet: (unit, value, setting) => !unit.isSet(setting) || given(unit, value, setting),
  RestrictAddressFamilies: listed,
  SystemCallFilter: listed,
  PrivateDevices: notOn,
  PrivateTmp: notOn,
  ProtectKernelLogs: notOn,
  ProtectKernelModules: notOn,
  ProtectKernelTunables: notOn,
  ProtectControlGroups: notOn,
  ProtectClock: notOn,
  RestrictRealtime: notOn,
  ProtectHome: (unit) => !/^(?:yes|true|on|1|tmpfs)$/i.test(unit.one("ProtectHome") ?? ""),
  DeviceAllow: (unit, value) =>
    (!isOn(unit.one("PrivateDevices")) &&
      /^(?:auto)?$/.test(unit.one("DevicePolicy") ?? "") &&
      unit.all("DeviceAllow").length === 0) ||
    unit
      .all("DeviceAllow")
      .some(
        (one) =>
          one === value ||
          `${one}m` === value ||
          (one.replace(/\s+\w+$/, "") === value.replace(/\s+\w+$/, "") && /\srw/.test(one)),
      ),
  ReadWritePaths: (unit, value) =>
    (unit.one("ProtectSystem") !== "strict" && !/^\/(?:usr|boot|efi|etc)\b/.test(unquoted(value))) ||
    hasPath(unit, ["ReadWritePaths", "BindPaths"], unquoted(value)),
  BindPaths: (unit, value) => hasPath(unit, ["BindPaths"], unquoted(value)) || !isOn(unit.one("PrivateTmp")),
  BindReadOnlyPaths: (unit, value) =>
    !isOn(unit.one("PrivateTmp")) || hasPath(unit, ["BindPaths", "BindReadOnlyPaths"], unquoted(value)),
  IPAddressDeny: isEveryAddressOpen,
  IPAddressAllow: (unit, value) => isEveryAddressOpen(unit) || given(unit, value, "IPAddressAllow"),
  LoadCredential: (unit, value) =>
    ["LoadCredential", "LoadCredentialEncrypted", "SetCredential", "SetCredentialEncrypted", "ImportCredential"].some(
      (setting) => unit.all(setting).some((one) => one.split(":")[0] === value.split(":")[0]),
    ),
  EnvironmentFile: (unit) => unit.all("EnvironmentFile").length > 0 || unit.all("Environment").length > 0,
};

/** True when `unit` opens what the setting `setting=value` opens. */
export const grants = (unit: InstalledUnit, setting: string, value: string): boolean =>
  GRANTS[setting]?.(unit, value, setting) ?? true;
