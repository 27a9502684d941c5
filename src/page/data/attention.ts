/** What is wrong on this host as a person reads it: each trouble of `nerve why` with why, since when, and what to type. Pure. */
import type { Incident } from "../../model/incident-row.ts";
import type { ShownTrouble } from "../../model/shown-trouble.ts";
import type { SenseRow } from "../../web/contract.ts";
import type { IconName } from "../parts/icon.tsx";
import { count, counted, digits } from "../words/numbers.ts";
import { SENSE_MARKS } from "../words/states.ts";

export interface Attention {
  readonly id: string;
  readonly tone: "crit" | "warn";
  readonly icon: IconName;
  /** The state, in a word. */
  readonly word: string;
  readonly title: string;
  /** For the one sentence, after its colon: `CPU is at 100 %`. */
  readonly clause: string;
  /** What the clause leaves out where there are others: `limit 98 %`; or the empty string. */
  readonly limit: string;
  readonly why: string;
  readonly since: number | null;
  readonly command: string;
  /** The view that says more, and what is selected there. */
  readonly leads: {
    readonly view: "incidents" | "senses" | "runs" | "logs" | "store" | "signals";
    readonly sel: string;
  };
}

export interface Facts {
  /** As the host judges, the worst first. */
  readonly troubles: readonly ShownTrouble[];
  readonly senses: readonly SenseRow[];
  readonly incidents: readonly Incident[];
}

/** A trouble without what all kinds have alike. */
type Words = Omit<Attention, "id" | "tone" | "since">;

const lowerFirst = (text: string): string =>
  /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
/** A sentence's end is its own. */
const unstopped = (text: string): string => text.replace(/[.!]+$/, "");

function ofIncident({ id, name, key, state, severity, says }: ShownTrouble, row: Incident | undefined): Words {
  const acked = state === "acked";
  const summary = says ?? `incident ${id}`;
  const of = key === null ? "" : ` · ${key}`;
  const by = acked ? `, acked by ${row?.acked_by ?? "someone"}` : "";
  const again = row !== undefined && row.count > 1 ? `, began to match ${count(row.count)} times` : "";
  return {
    icon: acked ? "hand" : severity === "critical" ? "crit" : "warn",
    word: acked ? "acked" : severity,
    title: summary,
    clause: lowerFirst(unstopped(summary)),
    limit: "",
    why: `${name}${of}${by}${again}`,
    command: acked ? `nerve show incident:${id}` : `nerve ack ${id}`,
    leads: { view: "incidents", sel: String(id) },
  };
}

/** How often it failed, in words. */
export function troubleOf(sense: SenseRow): string {
  const { computes, errors, timeouts, state, reason } = sense;
  if (state === "failing" && timeouts > errors) return `timed out ${count(timeouts)} of ${counted(computes, "time")}`;
  if (state === "failing") return `failed ${count(errors)} of ${counted(computes, "time")}`;
  return reason ?? state;
}

const isTimingOut = (sense: SenseRow | undefined): boolean =>
  sense?.state === "failing" && sense.timeouts > sense.errors;

const SENSE_IS: Readonly<Record<string, string>> = { failed: "does not load", stale: "cannot compute" };

function ofSense({ name, state, says }: ShownTrouble, sense: SenseRow | undefined): Words {
  const shown = name ?? "";
  const known = SENSE_MARKS[state as keyof typeof SENSE_MARKS] ?? null;
  const mark = known ?? { ...SENSE_MARKS.failing, word: "inbox" };
  const timing = isTimingOut(sense);
  const word = timing ? "timing out" : mark.word;
  const never = state === "failing" && sense?.last_signal === null;
  const has = known === null ? `has ${state}` : `is ${word}`;
  const is = never ? "has never answered" : (SENSE_IS[state] ?? has);
  const often = sense?.state === "failing" ? troubleOf(sense) : null;
  return {
    icon: timing ? "clock" : mark.icon,
    word,
    title: `${shown} ${is}`,
    clause: `sense ${shown} ${is}`,
    limit: "",
    why: [often, says].filter((part) => part !== null).join(": "),
    command: `nerve ${state === "quarantined" ? "enable" : known === null ? "inbox" : "once"} ${shown}`,
    leads: { view: "senses", sel: shown },
  };
}

const CHECK_WORDS: Readonly<Record<string, string>> = {
  cpu_percent: "CPU is at",
  memory_percent: "memory is at",
  swap_percent: "swap is at",
  load5_per_core: "load per core is",
  disk_percent: "is full to",
  inodes_percent: "has used inodes to",
  cpu_pressure_percent: "CPU pressure is",
  memory_pressure_percent: "memory pressure is",
  io_pressure_percent: "I/O pressure is",
};

function ofCheck({ name, severity, check, says }: ShownTrouble): Words | null {
  if (check === null) return null;
  const ofDisk = /^(disk|inodes)/.test(check.check);
  const percent = /percent/.test(check.check) ? " %" : "";
  const words = `${ofDisk ? `${name} ` : ""}${CHECK_WORDS[check.check] ?? `${check.check} is`} ${digits(check.value)}${percent}`;
  return {
    icon: severity === "critical" ? "crit" : "warn",
    word: severity,
    title: upperFirst(words),
    clause: words,
    limit: `limit ${digits(check.limit)}${percent}`,
    why: says ?? "",
    command: `nerve signals ${name}`,
    leads: { view: "signals", sel: String(check.signal) },
  };
}

const ofStore = ({ says }: ShownTrouble): Words => ({
  icon: "db",
  word: "store",
  title: "nerve begins nothing new",
  clause: lowerFirst(unstopped((says ?? "the store takes no commit").replace(/[:;] .*$/, ""))),
  limit: "",
  why: says ?? "",
  command: "df -h",
  leads: { view: "store", sel: "" },
});

function ofGroup({ name, state, says }: ShownTrouble): Words {
  const title =
    state === "stuck"
      ? `Group ${name} is stuck: its worker was killed and is not gone`
      : `The worker of group ${name} died and waits to start`;
  return {
    icon: "skull",
    word: state,
    title,
    clause: lowerFirst(state === "stuck" ? `Group ${name} is stuck` : title),
    limit: "",
    why: says ?? "",
    command: "nerve logs kernel -n 20",
    leads: { view: "logs", sel: "" },
  };
}

const ofWorkflow = ({ name, says }: ShownTrouble): Words => ({
  icon: "crit",
  word: "broken",
  title: `Workflow ${name} does not load`,
  clause: `workflow ${name} does not load`,
  limit: "",
  why: says ?? "",
  command: "nerve check",
  leads: { view: "runs", sel: "" },
});

const ofChannel = ({ name, says }: ShownTrouble): Words => ({
  icon: "mute",
  word: "not told",
  title: `Channel ${name} takes no messages`,
  clause: `channel ${name} takes no messages`,
  limit: "",
  why: says ?? "",
  command: `nerve notify ${name}`,
  leads: { view: "runs", sel: "" },
});

/** Ways to other machines: cut off, or in need of a person. */
const WAYS: Readonly<Record<string, { readonly title: string; readonly command: string }>> = {
  fleet: { title: "The fleet of this host is not well", command: "nerve fleet check" },
  otlp: { title: "Not all that is sent by OTLP leaves", command: "nerve status" },
};

function ofListener({ name, says }: ShownTrouble): Words {
  const away = WAYS[name ?? ""];
  const title = away?.title ?? `nerve does not listen for ${name}`;
  return {
    icon: "crit",
    word: away === undefined ? "not listening" : "not well",
    title,
    clause: away === undefined ? title : lowerFirst(title),
    limit: "",
    why: says ?? "",
    command: away?.command ?? "nerve status",
    leads: { view: "logs", sel: "" },
  };
}

function ofHosts({ name, says }: ShownTrouble): Words {
  const title = name === null ? "Other hosts are silent" : `Host ${name} is silent`;
  return {
    icon: "mute",
    word: "silent",
    title,
    clause: lowerFirst(title),
    limit: "",
    why: says ?? "",
    command: "nerve fleet status",
    leads: { view: "signals", sel: "" },
  };
}

function ofRun({ id, name, state, says }: ShownTrouble): Words {
  const ended = state === "failed" ? "failed" : `ended ${state.replace("-", " ")}`;
  return {
    icon: "fail",
    word: state.replace("-", " "),
    title: `Run ${id} of ${name} ${ended}`,
    clause: `run ${id} of ${name} ${ended}`,
    limit: "",
    why: says ?? "",
    command: `nerve retry ${id}`,
    leads: { view: "runs", sel: String(id) },
  };
}

function wordsOf(trouble: ShownTrouble, { senses, incidents }: Facts): Words | null {
  switch (trouble.kind) {
    case "incident":
      return ofIncident(
        trouble,
        incidents.find(({ id }) => id === trouble.id),
      );
    case "sense":
      return ofSense(
        trouble,
        senses.find(({ name }) => name === trouble.name),
      );
    case "check":
      return ofCheck(trouble);
    case "store":
      return ofStore(trouble);
    case "group":
      return ofGroup(trouble);
    case "workflow":
      return ofWorkflow(trouble);
    case "channel":
      return ofChannel(trouble);
    case "listener":
      return ofListener(trouble);
    case "hosts":
      return ofHosts(trouble);
    case "run":
      return ofRun(trouble);
  }
}

/** In the order of the host. */
export function attentionOf(facts: Facts): readonly Attention[] {
  return facts.troubles.flatMap((trouble) => {
    const words = wordsOf(trouble, facts);
    if (words === null) return [];
    const { kind, id, name, check, severity, since } = trouble;
    const tone = severity === "critical" ? "crit" : "warn";
    return [{ ...words, id: [kind, id ?? name ?? "", check?.check ?? ""].join(":"), tone, since }];
  });
}
