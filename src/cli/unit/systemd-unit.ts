/** The text of a hardened systemd unit. Pure: what is on the host is found by `commands/unit.ts`. */
import { shellWord } from "../screen/shell-word.ts";

export interface UnitParts {
  /** argv of the daemon, absolute. */
  readonly command: readonly string[];
  readonly config: string;
  readonly data: string;
  readonly user: string;
}

const STATE_ROOT = "/var/lib/";
const PRIVATE_ROOTS = ["/tmp/", "/var/tmp/"];

/** Specifiers begin with %, in ExecStart variables with $; a word with anything else unusual is quoted. */
const plain = (path: string): string => path.replaceAll("%", "%%");

function quoted(path: string): string {
  const escaped = plain(path);
  return /^[\w./:@%+=,-]+$/.test(escaped) ? escaped : `"${escaped.replace(/(["\\])/g, "\\$1")}"`;
}

const argument = (word: string): string => quoted(word).replaceAll("$", "$$$$");

const isIn = (path: string, root: string): boolean => `${path}/`.startsWith(root);

function dataLines({ data, user }: UnitParts): string[] {
  const below = isIn(data, STATE_ROOT) ? data.slice(STATE_ROOT.length) : "";
  // StateDirectory knows no quoting that is worth relying on.
  if (/^[\w.@+-]+(\/[\w.@+-]+)*$/.test(below)) return [`StateDirectory=${below}`, "StateDirectoryMode=0700"];
  return [
    "# Outside /var/lib systemd does not make it. Once, by hand:",
    `#   install -d -m 0700 -o ${user} -g ${user} ${shellWord(data)}`,
    `ReadWritePaths=${quoted(data)}`,
  ];
}

function temporaryLines({ command, config, data }: UnitParts): string[] {
  const hidden = [...command, config, data].some((path) => PRIVATE_ROOTS.some((root) => isIn(path, root)));
  if (!hidden) return ["PrivateTmp=yes"];
  return [
    "# What this unit runs or reads lies in a temporary folder, which PrivateTmp=yes would hide.",
    "PrivateTmp=no",
  ];
}

/** A path that no unit file can hold: it would end its line, or join it with the next. */
export const breaksLines = (path: string): boolean => /[\p{Cc}]|\\$/u.test(path);

export function systemdUnit(parts: UnitParts): string {
  const { command, config, data, user } = parts;
  return `# Written by \`nerve unit\`. To install:
#   nerve unit -c ${shellWord(config)} > /etc/systemd/system/nerve.service
#   systemctl daemon-reload && systemctl enable --now nerve
# Give more rights in a drop-in (systemctl edit nerve), one need at a time, as named below.

[Unit]
Description=nerve observation engine
After=local-fs.target
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
ExecStart=${[...command, config].map(argument).join(" ")}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=2s
# A bad config is not cured by starting again.
RestartPreventExitStatus=78
TimeoutStartSec=90s
TimeoutStopSec=45s
WatchdogSec=30s
# The daemon stops its workers itself; what is left is killed.
KillMode=mixed
# A worker that runs out of memory is replaced; the default would end the whole service.
OOMPolicy=continue
OOMScoreAdjust=-200
MemoryHigh=384M
MemoryMax=512M
TasksMax=256
CPUQuota=50%
LimitCORE=0

User=${user}
Group=${user}
${dataLines(parts).join("\n")}
WorkingDirectory=${plain(data)}
UMask=0077
UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN BUN_INSPECT NODE_OPTIONS LD_PRELOAD LD_LIBRARY_PATH

# No MemoryDenyWriteExecute=: it forbids the JIT compiler, and senses then run 14 times slower for no better score.
# No ProtectProc= or ProcSubset=: senses look at other processes.
# To see other users' open files and I/O: AmbientCapabilities= and CapabilityBoundingSet=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
${temporaryLines(parts).join("\n")}
# To read SMART values: PrivateDevices=no
PrivateDevices=yes
DevicePolicy=closed
PrivateMounts=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
# Loopback only. For senses and workflows that reach the network (webhook): IPAddressDeny= (empty)
IPAddressDeny=any
IPAddressAllow=localhost
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target`;
}
