/**
 * Owns the settings of a systemd unit that open something, each with those who asked for it. The unit is written from these
 * settings, and an installed unit is compared with them. Pure.
 */
import type { Ask, Need } from "../../needs/asks.ts";

export interface Opening {
  readonly setting: string;
  /** The value as it stands in the unit; empty where the setting is left out. */
  readonly value: string;
  readonly askers: readonly string[];
}

/** The paths that the unit runs, reads and writes for nerve itself. */
export interface UnitPlaces {
  /** The argv of the daemon, with absolute paths. */
  readonly command: readonly string[];
  readonly config: string;
  readonly data: string;
}

/** The names of the variables and credentials that nerve.yaml takes from outside. */
export interface Outside {
  readonly credentials: readonly string[];
  readonly variables: readonly string[];
}

/** True for a text that no unit file can hold: the text would end its line, or join the line with the next. */
export const breaksLines = (text: string): boolean => /[\p{Cc}]|\\$/u.test(text);

/** Escapes %, which begins a specifier. Quotes a word with any other unusual character. */
export function quoted(text: string): string {
  const escaped = text.replaceAll("%", "%%");
  return /^[\w./:@%+=,-]+$/.test(escaped) ? escaped : `"${escaped.replace(/(["\\])/g, "\\$1")}"`;
}

export const isIn = (path: string, root: string): boolean => path === root || path.startsWith(`${root}/`);

const HOMES = ["/home", "/root", "/run/user"];
const TEMPORARY = ["/tmp", "/var/tmp"];
/** The part of /dev that PrivateDevices=yes leaves. */
const PLAIN_DEVICES = [
  "/dev/shm",
  "/dev/mqueue",
  "/dev/hugepages",
  "/dev/pts",
  "/dev/null",
  "/dev/zero",
  "/dev/random",
];

const isInHome = (path: string): boolean => HOMES.some((root) => isIn(path, root));
/** The temporary folder itself stays visible. */
const isInTemporary = (path: string): boolean => TEMPORARY.some((root) => path !== root && isIn(path, root));

type Setting = readonly [setting: string, value: string];

/** The further settings without which a capability has no effect. */
const BESIDE: Readonly<Record<string, readonly Setting[]>> = {
  CAP_BPF: [["SystemCallFilter", "bpf"]],
  CAP_CHOWN: [["SystemCallFilter", "@chown"]],
  CAP_MKNOD: [["PrivateDevices", "no"]],
  CAP_NET_RAW: [["RestrictAddressFamilies", "AF_PACKET"]],
  CAP_PERFMON: [["SystemCallFilter", "perf_event_open"]],
  CAP_SETGID: [["SystemCallFilter", "@setuid"]],
  CAP_SETUID: [["SystemCallFilter", "@setuid"]],
  CAP_SYSLOG: [["ProtectKernelLogs", "no"]],
  CAP_SYS_ADMIN: [["SystemCallFilter", "@mount"]],
  CAP_SYS_BOOT: [["SystemCallFilter", "@reboot"]],
  CAP_SYS_CHROOT: [["SystemCallFilter", "chroot"]],
  CAP_SYS_MODULE: [
    ["ProtectKernelModules", "no"],
    ["SystemCallFilter", "@module"],
  ],
  CAP_SYS_NICE: [
    ["RestrictRealtime", "no"],
    ["SystemCallFilter", "@resources"],
  ],
  CAP_SYS_PACCT: [["SystemCallFilter", "acct"]],
  CAP_SYS_PTRACE: [["SystemCallFilter", "@debug"]],
  CAP_SYS_RAWIO: [
    ["PrivateDevices", "no"],
    ["SystemCallFilter", "@raw-io"],
  ],
  CAP_SYS_RESOURCE: [["SystemCallFilter", "@resources"]],
  CAP_SYS_TIME: [
    ["ProtectClock", "no"],
    ["SystemCallFilter", "@clock"],
  ],
  CAP_WAKE_ALARM: [["ProtectClock", "no"]],
};

const bound = (path: string): string => quoted(`-${path.replaceAll(":", "\\:")}`);

function openPath(path: string, access: "read" | "write", isTemporaryShared: boolean): Setting[] {
  if (breaksLines(path)) return [];
  if (isIn(path, "/dev") && !PLAIN_DEVICES.some((root) => isIn(path, root)) && path !== "/dev")
    return openDevice(path, access);
  const home: Setting[] = isInHome(path) ? [["ProtectHome", "read-only"]] : [];
  if (isInTemporary(path) && !isTemporaryShared)
    return [[access === "write" ? "BindPaths" : "BindReadOnlyPaths", bound(path)]];
  if (access === "read") return home;
  const kernel: Setting[] = isIn(path, "/sys/fs/cgroup")
    ? [["ProtectControlGroups", "no"]]
    : isIn(path, "/proc") || isIn(path, "/sys")
      ? [["ProtectKernelTunables", "no"]]
      : [];
  // A missing path harms only its asker. The `-` lets the unit start without the path.
  return [...home, ...kernel, ["ReadWritePaths", quoted(`-${path}`)]];
}

const openDevice = (path: string, access: "read" | "write"): Setting[] => [
  ["PrivateDevices", "no"],
  ["DeviceAllow", `${quoted(path)} ${access === "write" ? "rw" : "r"}`],
];

function settingsOf(need: Need, isTemporaryShared: boolean): readonly Setting[] {
  switch (need.kind) {
    case "group":
      return [["SupplementaryGroups", need.name]];
    case "capability": {
      const { name } = need;
      return [["CapabilityBoundingSet", name], ["AmbientCapabilities", name], ...(BESIDE[name] ?? [])];
    }
    case "device":
      return openDevice(need.path, need.access);
    case "path":
      return openPath(need.path, need.access, isTemporaryShared);
    case "network":
      if (need.address === "any") return [["IPAddressDeny", ""]];
      return need.address === "localhost" ? [] : [["IPAddressAllow", need.address]];
    default:
      return [];
  }
}

/** True when a path that nerve itself runs or reads is one that PrivateTmp=yes would hide. */
export const sharesTemporary = ({ command, config, data }: UnitPlaces): boolean =>
  [...command, config, data].some(isInTemporary);

const credentialFolder = (config: string): string => `${config.replace(/\/[^/]*$/, "")}/credentials`;
/** The file that holds the variables of the config. */
export const environmentFile = (config: string): string => `${config.replace(/\.ya?ml$|$/, ".env")}`;

/** The file that holds the credential `name`. */
export const credentialFile = (config: string, name: string): string => `${credentialFolder(config)}/${name}`;

function ofNerve(places: UnitPlaces, { credentials, variables }: Outside): Opening[] {
  const { command, config, data } = places;
  const ofItself: readonly (readonly [Setting, string])[] = [
    ...([...command, config, data].some(isInHome)
      ? [[["ProtectHome", "read-only"], "nerve itself, which lies in a home"] as const]
      : []),
    ...(sharesTemporary(places)
      ? [[["PrivateTmp", "no"], "nerve itself, which lies in a temporary folder"] as const]
      : []),
    ...credentials.map(
      (name) =>
        [
          ["LoadCredential", `${name}:${quoted(credentialFile(config, name))}`],
          `\${credential:${name}} of the config`,
        ] as const,
    ),
    ...variables.map(
      (name) => [["EnvironmentFile", quoted(`-${environmentFile(config)}`)], `\${${name}} of the config`] as const,
    ),
  ];
  return ofItself.map(([[setting, value], asker]) => ({ setting, value, askers: [asker] }));
}

/** The text of a comment in a unit. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}]/gu, "?").replace(/\\+$/, "");

/** Each setting and value once, with everyone who asked for it. */
export function openingsOf(asks: readonly Ask[], places: UnitPlaces, outside: Outside): readonly Opening[] {
  const isShared = sharesTemporary(places);
  const all = [
    ...ofNerve(places, outside),
    ...asks.flatMap(({ who, need, because }) =>
      settingsOf(need, isShared).map(([setting, value]) => ({
        setting,
        value,
        askers: [oneLine(`${who} (${because})`)],
      })),
    ),
  ];
  const merged = new Map<string, { setting: string; value: string; askers: Set<string> }>();
  for (const { setting, value, askers } of all) {
    const id = `${setting}=${value}`;
    const known = merged.get(id) ?? { setting, value, askers: new Set() };
    for (const asker of askers) known.askers.add(asker);
    merged.set(id, known);
  }
  return [...merged.values()].map(({ setting, value, askers }) => ({ setting, value, askers: [...askers] }));
}

const ROOT_GROUPS: Readonly<Record<string, string>> = {
  docker: "a member can start a container that writes any file of the host",
  podman: "a member can start a container that writes any file of the host",
  lxd: "a member can start a container that writes any file of the host",
  incus: "a member can start a container that writes any file of the host",
  libvirt: "a member can attach any disk of the host to a machine",
  disk: "a member reads and writes every disk past its file system",
  sudo: "a member may become root",
  wheel: "a member may become root",
  root: "the files of root's group are system files",
  shadow: "a member reads every password hash",
};

const ROOT_CAPABILITIES: Readonly<Record<string, string>> = {
  CAP_BPF: "it loads programs into the kernel",
  CAP_CHOWN: "it makes any file its own",
  CAP_DAC_OVERRIDE: "it reads and writes every file",
  CAP_DAC_READ_SEARCH: "it reads every file, the password hashes too",
  CAP_FOWNER: "it changes the mode of any file",
  CAP_MAC_ADMIN: "it changes the policy of the host",
  CAP_MAC_OVERRIDE: "it passes over the policy of the host",
  CAP_MKNOD: "it makes any device",
  CAP_SETFCAP: "it gives any capability to a file",
  CAP_SETGID: "it takes any group",
  CAP_SETUID: "it becomes any user",
  CAP_SYS_ADMIN: "it mounts, and much more",
  CAP_SYS_BOOT: "it starts another kernel",
  CAP_SYS_CHROOT: "it leaves its root folder",
  CAP_SYS_MODULE: "it loads code into the kernel",
  CAP_SYS_PTRACE: "it reads and writes the memory of every process",
  CAP_SYS_RAWIO: "it reads and writes devices and memory past the kernel",
};

/** The reason why a setting's opening is as good as root; null where it is not. */
export function asGoodAsRoot({ setting, value }: Opening): string | null {
  if (setting === "SupplementaryGroups") return ROOT_GROUPS[value] ?? null;
  if (setting === "AmbientCapabilities") return ROOT_CAPABILITIES[value] ?? null;
  if (
    setting === "DeviceAllow" &&
    /^\/dev\/(?:sd|hd|vd|xvd|nvme|mmcblk|dm-|md|mapper|mem|kmem|port)\S* rw$/.test(value)
  )
    return "it writes a disk or memory past the file system";
  return null;
}
