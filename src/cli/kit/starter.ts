/** Owns the files for a folder without nerve.yaml: a config that watches this host at once, and a sense and a workflow to change. */

/** The two comments by which editors find a schema: one of yaml-language-server, and one of JetBrains. */
export const SCHEMA_LINE = "# yaml-language-server: $schema=./.nerve/nerve.schema.json";
const SCHEMA_LINES = `${SCHEMA_LINE}\n# $schema: ./.nerve/nerve.schema.json`;

/** Without quotes where YAML takes the text as it stands. */
const yamlText = (text: string): string => (/^[\w./][\w./-]*$/.test(text) ? text : JSON.stringify(text));

/** The data folder of a config that a person runs in a folder of their own. */
export const DATA = "./data";

/** `hasPressure` is true when this host's kernel counts pressure. */
const config = (hasPressure: boolean, data: string): string => `${SCHEMA_LINES}
# What nerve looks at on this host, and what follows from it. Try it: nerve nerve.yaml

${`data: ${yamlText(data)}`.padEnd(27)} # everything that nerve keeps

senses:
  memory:
  load:
  cpu-usage:
${hasPressure ? "  pressure:\n" : ""}  disk-usage: { with: { path: / } }
  disk-io:
  network-io:
  hello:                    # your own: senses/hello/index.ts
  nerve:                    # nerve itself: senses that fail, that are quarantined or stale

reflexes:                   # when each of them looks
  - { sense: memory,     interval: 10s, on_start: true }
  - { sense: load,       interval: 10s, on_start: true }
  - { sense: cpu-usage,  interval: 10s, on_start: true }
${hasPressure ? "  - { sense: pressure,   interval: 10s, on_start: true }\n" : ""}  - { sense: disk-usage, interval: 1m,  on_start: true }
  - { sense: disk-io,    interval: 10s, on_start: true }
  - { sense: network-io, interval: 10s, on_start: true }
  - { sense: hello,      interval: 10s, on_start: true }
  - { sense: nerve,      interval: 1m,  watch: true }   # and within a second of a change

  # Each run that fails, times out or is dropped is reported once: \`nerve logs --level warn\`. A channel brings it to your phone.
  - { name: bad-runs, workflow: notify, on: [nerve], each: failed_runs, key: run }

  # A rule. Without the #, it starts workflows/note once when the disk is nearly full, and again after there was room.
  # - name: disk-full
  #   workflow: note
  #   on: [disk-usage]
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
export const starterFiles = (hasPressure: boolean, data: string): Readonly<Record<string, string>> => ({
  "nerve.yaml": config(hasPressure, data),
  "senses/hello/index.ts": SENSE,
  "workflows/note/index.ts": WORKFLOW,
});

/** Files that every folder without them gets, whoever wrote its nerve.yaml. */
export const SETTINGS: Readonly<Record<string, string>> = {
  "tsconfig.json": `{ "extends": "./.nerve/tsconfig.json" }\n`,
  ".gitignore": "/data/\n/.nerve/\n",
};
