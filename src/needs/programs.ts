/** What well-known programs need of the host. A program that is not listed needs nothing beyond its own file. */
import { basename } from "node:path";
import { type Needs, NO_NEEDS, type Reach } from "../model/needs.ts";

/** What polkit has to let nerve's user do. Null stands for any. */
export interface Permission {
  readonly action: string;
  readonly verb: string | null;
  readonly unit: string | null;
}

export interface ProgramNeeds extends Found {
  readonly program: string;
}

interface Found {
  readonly needs: Needs;
  readonly permissions: readonly Permission[];
  /** What no unit can give, or what cannot be read from the command: a sentence about the program. */
  readonly remarks: readonly string[];
}

const NOTHING: Found = { needs: NO_NEEDS, permissions: [], remarks: [] };

const needing = (needs: Readonly<Record<string, unknown>>): Found => ({
  ...NOTHING,
  needs: { ...NO_NEEDS, ...needs },
});

const ANYWHERE = ["any"];

const devicesIn = (words: readonly string[]): Reach[] =>
  words.filter((word) => /^\/dev\/./.test(word)).map((path) => ({ path, access: "read" }));

const asksDevice = (capabilities: readonly string[]) => (words: readonly string[]) =>
  needing({ capabilities, devices: devicesIn(words), groups: ["disk"] });

const pings = () => needing({ capabilities: ["CAP_NET_RAW"], network: ANYWHERE });
const reaches = () => needing({ network: ANYWHERE });
const isMember = (group: string) => () => needing({ groups: [group] });

/** The journal of the host is for a group; a file or a folder is for whoever may read it. */
function readsJournal(words: readonly string[]): Found {
  const isElsewhere = words.some((word) => /^(?:-i|-D|--file\b|--directory\b)/.test(word));
  return isElsewhere ? NOTHING : needing({ groups: ["systemd-journal"] });
}

const gainsRights = (words: readonly string[]): Found => ({
  ...NOTHING,
  remarks: [
    `\`${words[0]}\` gains no rights under the unit (NoNewPrivileges=yes): run the program itself, and write what it needs as \`needs\``,
  ],
});

const KNOWN: Readonly<Record<string, (words: readonly string[]) => Found>> = {
  journalctl: readsJournal,
  docker: isMember("docker"),
  virsh: isMember("libvirt"),
  systemctl: permissionsOf,
  smartctl: asksDevice(["CAP_SYS_RAWIO"]),
  nvme: asksDevice(["CAP_SYS_ADMIN"]),
  dmesg: () => needing({ capabilities: ["CAP_SYSLOG"], devices: [{ path: "/dev/kmsg", access: "read" }] }),
  zpool: () => needing({ devices: [{ path: "/dev/zfs", access: "write" }] }),
  zfs: () => needing({ devices: [{ path: "/dev/zfs", access: "write" }] }),
  "nvidia-smi": () => needing({ devices: [{ path: "char-nvidia*", access: "write" }] }),
  ping: pings,
  fping: pings,
  mtr: pings,
  traceroute: pings,
  curl: reaches,
  wget: reaches,
  dig: reaches,
  host: reaches,
  nslookup: reaches,
  ssh: reaches,
  scp: reaches,
  rsync: reaches,
  nc: reaches,
  sudo: gainsRights,
  su: gainsRights,
  pkexec: gainsRights,
};

const ON_UNITS = new Set(
  "start stop restart try-restart reload reload-or-restart try-reload-or-restart kill reset-failed freeze thaw isolate set-property clean".split(
    " ",
  ),
);
const ON_UNIT_FILES = new Set(
  "enable disable reenable mask unmask preset link revert add-wants add-requires".split(" "),
);
const ON_MACHINE: Readonly<Record<string, string>> = {
  reboot: "org.freedesktop.login1.reboot",
  poweroff: "org.freedesktop.login1.power-off",
  halt: "org.freedesktop.login1.halt",
  suspend: "org.freedesktop.login1.suspend",
};

const SYSTEMD = "org.freedesktop.systemd1";

/** `systemctl restart nginx` names the unit `nginx.service`. */
const unitName = (word: string): string => (/\.[a-z]+$/.test(word) ? word : `${word}.service`);

function permissionsOf(words: readonly string[]): Found {
  const [verb = "", ...units] = words.slice(1).filter((word) => !word.startsWith("-"));
  const permission = (action: string, unit: string | null): Permission => ({ action, verb, unit });
  if (ON_UNITS.has(verb)) {
    const named = units.length === 0 || units.some((unit) => /[*?[{]/.test(unit)) ? [null] : units.map(unitName);
    return { ...NOTHING, permissions: named.map((unit) => permission(`${SYSTEMD}.manage-units`, unit)) };
  }
  const action = ON_UNIT_FILES.has(verb)
    ? `${SYSTEMD}.manage-unit-files`
    : verb === "daemon-reload"
      ? `${SYSTEMD}.reload-daemon`
      : ON_MACHINE[verb];
  return action === undefined ? NOTHING : { ...NOTHING, permissions: [{ action, verb: null, unit: null }] };
}

/** Programs that run another one, which their arguments name. */
const WRAPPERS = new Set(["env", "nice", "ionice", "timeout", "stdbuf", "setsid", "chrt", "xargs"]);
const SHELLS = new Set(["sh", "bash", "dash", "zsh", "ash", "ksh", "fish"]);
const INTERPRETERS = new Set(["python", "python3", "perl", "ruby", "node", "bun", "php"]);

const nameOf = (word: string): string => basename(word);

/** The known programs that a shell script runs, each with its words. */
function commandsIn(script: string): string[][] {
  return script.split(/[;&|\n(){}`]/).flatMap((part) => {
    const words = part
      .trim()
      .split(/\s+/)
      .map((word) => word.replace(/^["']|["']$/g, ""));
    const first = words.findIndex((word) => Object.hasOwn(KNOWN, nameOf(word)));
    return first < 0 ? [] : [words.slice(first)];
  });
}

const isOpaque = (program: string): boolean => SHELLS.has(program) || INTERPRETERS.has(program.replace(/[\d.]+$/, ""));

/** What the command `words` needs, from its words alone: for each program that is known to be run. */
export function needsOfCommand(words: readonly string[]): readonly ProgramNeeds[] {
  const [first = "", ...rest] = words;
  const program = nameOf(first);
  const of = Object.hasOwn(KNOWN, program) ? KNOWN[program] : undefined;
  if (of !== undefined) return [{ program, ...of(words) }];
  if (WRAPPERS.has(program)) {
    const at = rest.findIndex((word) => Object.hasOwn(KNOWN, nameOf(word)) || isOpaque(nameOf(word)));
    return at < 0 ? [] : needsOfCommand(rest.slice(at));
  }
  if (!isOpaque(program)) return [];
  const flag = rest.findIndex((word) => /^-\w*c$/.test(word));
  const commands = SHELLS.has(program) && flag >= 0 ? commandsIn(rest[flag + 1] ?? "") : [];
  if (commands.length > 0) return commands.flatMap(needsOfCommand);
  const remark = `what \`${program}\` runs cannot be read from its arguments: write what the script needs as \`needs\``;
  return [{ program, ...NOTHING, remarks: [remark] }];
}
