/** Owns the files for a folder without nerve.yaml: a config that watches this host at once, and a sense and a workflow to change. */

/** The two comments by which editors find a schema: one of yaml-language-server, and one of JetBrains. */
export const SCHEMA_LINE = "# yaml-language-server: $schema=./.nerve/nerve.schema.json";
const SCHEMA_LINES = `${SCHEMA_LINE}\n# $schema: ./.nerve/nerve.schema.json`;

/** Without quotes where YAML takes the text as it stands. */
const yamlText = (text: string): string => (/^[\w./][\w./-]*$/.test(text) ? text : JSON.stringify(text));

/** The data folder of a config that a person runs in a folder of their own. */
export const DATA = "./data";

/** What not every host has: a kernel that counts pressure, and systemd as its init system. */
export interface HostHas {
  readonly pressure: boolean;
  readonly systemd: boolean;
}

const lineIf = (isThere: boolean, line: string): string => (isThere ? `${line}\n` : "");

const config = (has: HostHas, data: string): string => `${SCHEMA_LINES}
# What nerve looks at on this host, and what follows from it. Try it: nerve nerve.yaml

${`data: ${yamlText(data)}`.padEnd(27)} # everything that nerve keeps

senses:
  memory:
  load:
  cpu-usage:
${lineIf(has.pressure, "  pressure:")}  disk-usage: { with: { path: / } }
  disks:                    # every file system, and in how many hours it is full
  disk-io:
  network-io:
${lineIf(has.systemd, "  systemd:                  # units that failed, that are started again, that are late")}  host-health:              # judges what these see: ok, warning or critical, and why
  hello:                    # your own: senses/hello/index.ts
  nerve:                    # nerve itself: senses that fail, that are quarantined or stale

reflexes:                   # when each of them looks
  - { sense: memory,      interval: 10s, on_start: true }
  - { sense: load,        interval: 10s, on_start: true }
  - { sense: cpu-usage,   interval: 10s, on_start: true }
${lineIf(has.pressure, "  - { sense: pressure,    interval: 10s, on_start: true }")}  - { sense: disk-usage,  interval: 1m,  on_start: true }
  - { sense: disks,       interval: 1m,  on_start: true }
  - { sense: disk-io,     interval: 10s, on_start: true }
  - { sense: network-io,  interval: 10s, on_start: true }
  - { sense: host-health, interval: 10s, on_start: true }
${lineIf(has.systemd, "  - { sense: systemd,     interval: 30s, on_start: true }")}  - { sense: hello,       interval: 10s, on_start: true }
  - { sense: nerve,       interval: 1m,  watch: true }   # and within a second of a change

  # Each run that fails, times out or is dropped is reported once: \`nerve logs --level warn\`. A channel brings it to your phone.
  - { name: bad-runs, workflow: notify, on: [nerve], each: failed_runs, key: run }

  # A rule. Without the #, it starts workflows/note once when a file system is nearly full, and again after there was room.
  # - name: disk-full
  #   workflow: note
  #   on: [disks]
  #   each: mounts
  #   key: path
  #   when: { used_percent: number > 90 }
  #   clear: { used_percent: number < 80 }

workflows:
  notify:                   # writes to the log while there are no \`channels\`
  note:                     # your own: workflows/note/index.ts
`;

const SENSE = `import type { Compute } from "nerve";

/** How long this host is up. What it returns is a signal; null is none. */
export const compute: Compute = async () => {
  const uptime = await Bun.file("/proc/uptime").text();
  return { hello: "world", hours: Math.floor(parseFloat(uptime) / 3600) };
};
`;

const WORKFLOW = `import type { Run } from "nerve";

/** Writes to nerve's log what started it. Try it: nerve run note '{ "path": "/" }' */
export const run: Run = (thread) =>
  thread.step("note", () => thread.log("warn", "a rule asks for attention", thread.trigger.payload));
`;

/** Path → text. From then on the files belong to the author. */
export const starterFiles = (has: HostHas, data: string): Readonly<Record<string, string>> => ({
  "nerve.yaml": config(has, data),
  "senses/hello/index.ts": SENSE,
  "workflows/note/index.ts": WORKFLOW,
});

/** Files that every folder without them gets, whoever wrote its nerve.yaml. */
export const SETTINGS: Readonly<Record<string, string>> = {
  "tsconfig.json": `{ "extends": "./.nerve/tsconfig.json" }\n`,
  ".gitignore": "/data/\n/.nerve/\n",
};
