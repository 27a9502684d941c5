/** Owns what is wrong as programs read it, how grave that is, and the order in which people look at troubles. */
import { withoutChannel } from "../model/channel.ts";
import type { Severity } from "../model/incident.ts";
import type { ShownTrouble } from "../model/shown-trouble.ts";
import type { Trouble } from "./troubles.ts";
import { namesOf } from "./why-hosts.ts";

/** A sense in such a state observes nothing, or nothing more comes in. */
const BLIND: ReadonlySet<string> = new Set(["failed", "quarantined", "stale", "a full inbox"]);

function severityOf(trouble: Trouble): Severity {
  switch (trouble.kind) {
    case "incident":
      return trouble.incident.state === "acked" ? "warning" : trouble.incident.severity;
    case "sense":
      return BLIND.has(trouble.state) ? "critical" : "warning";
    case "group":
      return trouble.state === "stuck" ? "critical" : "warning";
    case "check":
      return trouble.check.state;
    case "store":
    case "workflow":
      return "critical";
    case "listener":
      return trouble.name === "push" ? "critical" : "warning";
    case "run":
    case "channel":
    case "hosts":
      return "warning";
  }
}

type Named = Pick<ShownTrouble, "id" | "name" | "state" | "says" | "key" | "check">;

const named = (name: string | null, state: string, says: string | null): Named => ({
  id: null,
  name,
  state,
  says,
  key: null,
  check: null,
});

function namedOf(trouble: Trouble): Named {
  switch (trouble.kind) {
    case "incident": {
      const { id, reflex, state, summary, key } = trouble.incident;
      return { ...named(reflex, state, summary), id, key };
    }
    case "run": {
      const { id, workflow, state, error } = trouble.run;
      return { ...named(workflow, state, error), id };
    }
    case "sense":
      return named(trouble.name, trouble.state, trouble.reason);
    case "group":
      return named(trouble.name, trouble.state, trouble.reason);
    case "workflow":
      return named(trouble.name, trouble.state, trouble.reason);
    case "channel":
      return named(
        trouble.name,
        "failing",
        trouble.reason === null ? null : withoutChannel(trouble.name, trouble.reason),
      );
    case "listener":
      return named(trouble.name, "failed", `${trouble.address}: ${trouble.reason}`);
    case "hosts": {
      const { hosts, count } = trouble.silent;
      return named(count === 1 ? (hosts[0]?.host ?? null) : null, "silent", `silent: ${namesOf(trouble.silent)}`);
    }
    case "store":
      return named(null, "held", trouble.says);
    case "check": {
      const { sense, state, check, value, limit, by, signal } = trouble.check;
      const says = `${check} of ${sense} is ${value}, ${state} from ${limit}`;
      return { ...named(sense, state, says), check: { check, value, limit, by, signal } };
    }
  }
}

export const shownTrouble = (trouble: Trouble): ShownTrouble => ({
  kind: trouble.kind,
  ...namedOf(trouble),
  severity: severityOf(trouble),
  since: trouble.at || null,
});

const RANK: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 };

/** As in the answer about now: a channel and a number come after what they are about. */
const isLate = ({ kind }: ShownTrouble): number => Number(kind === "channel" || kind === "check");

/** Critical before warning, then the newest; what has no beginning comes last. */
export const worstFirst = (troubles: readonly ShownTrouble[]): ShownTrouble[] =>
  troubles.toSorted(
    (a, b) => RANK[a.severity] - RANK[b.severity] || isLate(a) - isLate(b) || (b.since ?? 0) - (a.since ?? 0),
  );
