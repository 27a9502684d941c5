/**
 * Owns the text of a hardened systemd unit. The unit opens what the configuration asks for. Each line that opens something
 * names those who asked. Pure: `commands/unit.ts` examines the host.
 */
import type { Ask, Remark } from "../../needs/asks.ts";
import { shellWord } from "../screen/shell-word.ts";
import {
  asGoodAsRoot,
  breaksLines,
  credentialFile,
  environmentFile,
  isIn,
  type Opening,
  type Outside,
  openingsOf,
  quoted,
  type UnitPlaces,
} from "./openings.ts";
import { polkitRule } from "./polkit.ts";

export interface UnitParts extends UnitPlaces {
  readonly user: string;
  readonly asks: readonly Ask[];
  readonly remarks: readonly Remark[];
  readonly outside: Outside;
}

const STATE_ROOT = "/var/lib";

/** In ExecStart a $ begins a variable, so it is doubled. */
const argument = (word: string): string => quoted(word).replaceAll("$", "$$$$");

/** The folder below /var/lib that systemd makes; null where another has to make the folder. */
function stateDirectory(data: string): string | null {
  const below = isIn(data, STATE_ROOT) ? data.slice(STATE_ROOT.length + 1) : "";
  // The quoting of StateDirectory is not reliable, so only plain names are accepted.
  return /^[\w.@+-]+(\/[\w.@+-]+)*$/.test(below) ? below : null;
}

function dataLines({ data }: UnitParts): string[] {
  const state = stateDirectory(data);
  if (state !== null) return [`StateDirectory=${state}`, "StateDirectoryMode=0700"];
  return ["# Outside /var/lib systemd does not make it: see above.", `ReadWritePaths=${quoted(data)}`];
}

/** The lines of the unit that depend on the asks. */
class Settings {
  readonly #openings: readonly Opening[];

  constructor(openings: readonly Opening[]) {
    this.#openings = openings;
  }

  #opened(setting: string): readonly Opening[] {
    return this.#openings.filter((opening) => opening.setting === setting);
  }

  /** A setting with one value: `closed` unless an ask needs another value. */
  one(setting: string, closed: string): string[] {
    const [opened] = this.#opened(setting);
    return opened === undefined ? [`${setting}=${closed}`] : explained(opened);
  }

  /** A setting that adds up: one line for each value that an ask needs. */
  each(setting: string): string[] {
    return this.#opened(setting).flatMap(explained);
  }
}

function explained(opening: Opening): string[] {
  const root = asGoodAsRoot(opening);
  return [
    `# For ${opening.askers.join(", ")}:`,
    ...(root === null ? [] : [`# THIS IS AS GOOD AS ROOT: ${root}.`]),
    `${opening.setting}=${opening.value}`,
  ];
}

/** The loopback is always open. */
function networkLines(settings: Settings, openings: readonly Opening[]): string[] {
  const anywhere = openings.find(({ setting }) => setting === "IPAddressDeny");
  if (anywhere !== undefined) {
    return [`# Every address, for ${anywhere.askers.join(", ")}: no IPAddressDeny=.`];
  }
  return ["IPAddressDeny=any", "IPAddressAllow=localhost", ...settings.each("IPAddressAllow")];
}

const typedInto = (file: string): string => `install -m 0600 /dev/stdin ${shellWord(file)}`;
const assignments = (variables: readonly string[]): string => variables.map((name) => `${name}=…`).join(" ");

const isRoot = (user: string): boolean => user === "root" || user === "0";

function installation({ user, config, data, outside }: UnitParts): string[] {
  const isNamed = !/^\d+$/.test(user);
  const folder = config.replace(/\/[^/]*$/, "") || "/";
  return [
    ...(isRoot(user) || !isNamed
      ? []
      : [`useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin ${user}`]),
    ...(stateDirectory(data) === null ? [`install -d -m 0700 -o ${user} ${shellWord(data)}`] : []),
    ...(outside.credentials.length === 0 ? [] : [`install -d -m 0700 ${shellWord(`${folder}/credentials`)}`]),
    ...outside.credentials.map(
      (name) => `${typedInto(credentialFile(config, name))}  # type the secret, end with Ctrl-D`,
    ),
    ...(outside.variables.length === 0
      ? []
      : [`${typedInto(environmentFile(config))}  # type ${assignments(outside.variables)}, end with Ctrl-D`]),
    `nerve unit -c ${shellWord(config)} > /etc/systemd/system/nerve.service`,
    "systemctl daemon-reload && systemctl enable --now nerve",
  ];
}

const comment = (line: string): string => (line === "" ? "#" : `# ${line}`);

function head(parts: UnitParts): string[] {
  const { asks, remarks, user } = parts;
  const permissions = asks.flatMap(({ who, need }) =>
    need.kind === "permission" ? [{ who, ...need.permission }] : [],
  );
  const groups = asks.flatMap(({ need }) => (need.kind === "group" ? [need.name] : []));
  const rule = permissions.length === 0 ? [] : ["", ...polkitRule(user, permissions)];
  return [
    `Written by \`nerve unit\` for ${shellWord(parts.config)}. Print it anew when that config changes;`,
    "`nerve check --host` says what the installed unit lacks for it. Changes of your own belong in a drop-in (systemctl edit nerve).",
    "",
    "To install, once, as root:",
    ...installation(parts).map((line) => `  ${line}`),
    ...(groups.length === 0
      ? []
      : ["", `The unit does not start while one of these groups is missing: ${[...new Set(groups)].join(", ")}.`]),
    ...rule,
    ...(remarks.length === 0 ? [] : ["", "This the unit cannot give:"]),
    ...remarks.map(({ who, text }) => `  ${who}: ${text}`),
    "",
    "One unit has one set of rights. What one sense or workflow asks for, every sense, every workflow and every program they",
    "run may use: a group of nerve.yaml bounds crashes and memory, and is no border for rights.",
  ].map((line) => comment(line.replace(/[\p{Cc}]/gu, "?").replace(/\\+$/, "")));
}

export function systemdUnit(parts: UnitParts): string {
  const { command, config, data, user, asks, outside } = parts;
  const openings = openingsOf(asks, parts, outside);
  const settings = new Settings(openings);
  return [
    ...head(parts),
    "",
    "[Unit]",
    "Description=nerve observation engine",
    "After=local-fs.target",
    "StartLimitIntervalSec=300",
    "StartLimitBurst=5",
    "",
    "[Service]",
    "Type=notify",
    "NotifyAccess=main",
    `ExecStart=${[...command, config].map(argument).join(" ")}`,
    "# Unlike a signal it waits for the new config, so `systemctl reload` reports a refused one.",
    `ExecReload=${[...command, "reload", "-c", config].map(argument).join(" ")}`,
    ...LIFE,
    "",
    `User=${user}`,
    ...settings.each("SupplementaryGroups"),
    ...dataLines(parts),
    `WorkingDirectory=${data.replaceAll("%", "%%")}`,
    "UMask=0077",
    "UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN BUN_INSPECT NODE_OPTIONS LD_PRELOAD LD_LIBRARY_PATH",
    ...settings.each("EnvironmentFile"),
    ...settings.each("LoadCredential"),
    "",
    ...hardening(settings, openings),
    "",
    "[Install]",
    "WantedBy=multi-user.target",
  ].join("\n");
}

const LIFE = [
  "Restart=on-failure",
  "RestartSec=2s",
  "# A bad config is not cured by starting again.",
  "RestartPreventExitStatus=78",
  "TimeoutStartSec=90s",
  "TimeoutStopSec=45s",
  "WatchdogSec=30s",
  "# The daemon stops its workers itself; what is left is killed.",
  "KillMode=mixed",
  "# A worker that runs out of memory is replaced; the default would end the whole service.",
  "OOMPolicy=continue",
  "OOMScoreAdjust=-200",
  "MemoryHigh=384M",
  "MemoryMax=512M",
  "TasksMax=256",
  "CPUQuota=50%",
  "LimitCORE=0",
];

const hardening = (settings: Settings, openings: readonly Opening[]): string[] => [
  "# No MemoryDenyWriteExecute=: it forbids the JIT compiler, and senses then run 14 times slower for no better score.",
  "# No ProtectProc= or ProcSubset=: senses look at other processes.",
  "CapabilityBoundingSet=",
  ...settings.each("CapabilityBoundingSet"),
  "AmbientCapabilities=",
  ...settings.each("AmbientCapabilities"),
  "NoNewPrivileges=yes",
  "ProtectSystem=strict",
  ...settings.each("ReadWritePaths"),
  ...settings.one("ProtectHome", "yes"),
  ...settings.one("PrivateTmp", "yes"),
  ...settings.each("BindReadOnlyPaths"),
  ...settings.each("BindPaths"),
  ...settings.one("PrivateDevices", "yes"),
  "DevicePolicy=closed",
  ...settings.each("DeviceAllow"),
  "PrivateMounts=yes",
  ...settings.one("ProtectKernelTunables", "yes"),
  ...settings.one("ProtectKernelModules", "yes"),
  ...settings.one("ProtectKernelLogs", "yes"),
  ...settings.one("ProtectControlGroups", "yes"),
  ...settings.one("ProtectClock", "yes"),
  "ProtectHostname=yes",
  "RestrictSUIDSGID=yes",
  ...settings.one("RestrictRealtime", "yes"),
  "RestrictNamespaces=yes",
  "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
  ...settings.each("RestrictAddressFamilies"),
  ...networkLines(settings, openings),
  "LockPersonality=yes",
  "RemoveIPC=yes",
  "KeyringMode=private",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=~@privileged @resources",
  ...settings.each("SystemCallFilter"),
  "SystemCallErrorNumber=EPERM",
];

/** A part of the command or a path that no unit file can hold, or null. */
export const unfit = ({ command, config, data }: UnitPlaces): string | null =>
  [...command, config, data].find(breaksLines) ?? null;
