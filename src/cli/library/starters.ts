/** Owns the entries that `nerve add` writes for each built-in: the options that the built-in must have, and its interval. */
import type { BuiltInSenseName } from "../../../senses/names.ts";
import type { NerveConfig } from "../../model/config.ts";
import type { BuiltInWorkflowName } from "../../workflows/names.ts";
import type { BuiltIn } from "./built-in.ts";

export interface Starter {
  /** Both texts are in YAML's flow style. `reflex` runs the sense or workflow; null where no reflex makes sense. */
  readonly entry: string;
  readonly reflex: string | null;
}

const every = (interval: string, entry = "{}") => ({ interval, entry });

const SENSES: Readonly<Record<BuiltInSenseName, { readonly interval: string; readonly entry: string }>> = {
  "cpu-usage": every("1s"),
  memory: every("5s"),
  load: every("5s"),
  "disk-usage": every("1m", "{ with: { path: / } }"),
  "disk-io": every("10s"),
  "network-io": every("10s"),
  processes: every("10s"),
  pressure: every("10s"),
  "host-health": every("10s"),
  // A worker of its own: the sense `nerve` must not die together with the senses that it watches.
  nerve: every("30s", "{ group: watch }"),
  exec: every("1m", "{ with: { command: [date, +%s], parse: number } }"),
  http: every("1m", "{ with: { url: http://127.0.0.1/ } }"),
  tcp: every("1m", "{ with: { host: 127.0.0.1, port: 22 } }"),
  tls: every("1h", "{ with: { host: localhost } }"),
  systemd: every("1m"),
  docker: every("1m"),
  disks: every("1m"),
  tail: every("10s", "{ with: { path: /var/log/syslog, match: error, summary: true } }"),
  journal: every("1m", "{ with: { priority: err, summary: true } }"),
  push: every("1h", "{ inbox: {} }"),
  heartbeat: every("1m", "{ inbox: {}, expect_every: 25h }"),
  "file-age": every("10m", '{ with: { path: "/var/backups/*" } }'),
};

const WORKFLOWS: Readonly<Record<BuiltInWorkflowName, string>> = {
  exec: '{ with: { command: [echo, "{{ sense }}: {{ payload }}"] } }',
  webhook: '{ with: { url: "http://127.0.0.1:8080/" } }',
  notify: "{}",
};

export function starterOf({ kind, name }: Pick<BuiltIn, "kind" | "name">, config: NerveConfig): Starter {
  if (kind === "workflow") {
    return { entry: WORKFLOWS[name as BuiltInWorkflowName], reflex: ruleFor(name, config) };
  }
  const { interval, entry } = SENSES[name as BuiltInSenseName];
  const written = name === "host-health" ? healthOf(config) : entry;
  return { entry: written, reflex: `{ sense: ${name}, interval: ${interval} }` };
}

/** For each built-in sense that may be configured: the payload that is worth a run. */
const WORTH: readonly (readonly [use: string, when: string])[] = [
  ["host-health", "{ status: \"'critical'\" }"],
  ["nerve", "{ status: \"'critical'\" }"],
  ["disk-usage", '{ used_percent: "number >= 90" }'],
  ["memory", '{ used_percent: "number >= 90" }'],
];

function ruleFor(workflow: string, config: NerveConfig): string | null {
  for (const [use, when] of WORTH) {
    const [sense] = namesOf(use, config);
    if (sense !== undefined) return `{ workflow: ${workflow}, on: [${sense}], when: ${when}, edge: rising }`;
  }
  return null;
}

const namesOf = (use: string, { senses }: NerveConfig): string[] =>
  [...senses.values()].filter((sense) => sense.use === use).map(({ name }) => name);

/** The options name the senses that host-health asks, where these senses do not have their default names. */
function healthOf(config: NerveConfig): string {
  const kinds = { cpu: "cpu-usage", memory: "memory", load: "load", disks: "disk-usage", pressure: "pressure" };
  const named = Object.entries(kinds).flatMap(([option, use]) => {
    const names = namesOf(use, config);
    return names.length === 0 || (names.length === 1 && names[0] === use) ? [] : [`${option}: [${names.join(", ")}]`];
  });
  return named.length === 0 ? "{}" : `{ with: { ${named.join(", ")} } }`;
}
