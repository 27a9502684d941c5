/** The names of the built-in senses, and nothing else: the kernel reads this, and must load none of their code. */
export const BUILT_IN_SENSE_NAMES = [
  "cpu-usage",
  "memory",
  "load",
  "disk-usage",
  "disk-io",
  "network-io",
  "processes",
  "pressure",
  "host-health",
  "nerve",
  "exec",
  "http",
  "tcp",
  "tls",
  "systemd",
  "docker",
  "disks",
  "file-age",
  "tail",
  "journal",
  "push",
  "heartbeat",
] as const;

export type BuiltInSenseName = (typeof BUILT_IN_SENSE_NAMES)[number];
