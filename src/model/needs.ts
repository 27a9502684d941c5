/** What a sense or workflow needs of the host beyond what every unit of nerve leaves open. */

export interface Needs {
  readonly groups: readonly string[];
  readonly capabilities: readonly string[];
  readonly devices: readonly Reach[];
  /** Addresses and networks. `any` is every address. */
  readonly network: readonly string[];
  readonly paths: readonly Reach[];
  /** Each is a program with the arguments that matter: `systemctl restart nginx`. */
  readonly programs: readonly (readonly string[])[];
}

export interface Reach {
  readonly path: string;
  readonly access: "read" | "write";
}

export const NO_NEEDS: Needs = { groups: [], capabilities: [], devices: [], network: [], paths: [], programs: [] };

/** Every capability of Linux. Source: capabilities(7). */
export const CAPABILITIES = [
  "CAP_AUDIT_CONTROL",
  "CAP_AUDIT_READ",
  "CAP_AUDIT_WRITE",
  "CAP_BLOCK_SUSPEND",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_KILL",
  "CAP_LEASE",
  "CAP_LINUX_IMMUTABLE",
  "CAP_MAC_ADMIN",
  "CAP_MAC_OVERRIDE",
  "CAP_MKNOD",
  "CAP_NET_ADMIN",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_RAW",
  "CAP_PERFMON",
  "CAP_SETFCAP",
  "CAP_SETGID",
  "CAP_SETPCAP",
  "CAP_SETUID",
  "CAP_SYSLOG",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_CHROOT",
  "CAP_SYS_MODULE",
  "CAP_SYS_NICE",
  "CAP_SYS_PACCT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_WAKE_ALARM",
] as const;

export type Capability = (typeof CAPABILITIES)[number];
