/** The reflexes of a simulated world, with all the words that go together, and its quiet hours. */
import type { NerveConfig, ReflexConfig } from "../../src/model/config.ts";
import { senseReflex, workflowReflex } from "../helpers/reflex.ts";
import { type Below, pick } from "../rules/random.ts";
import type { SenseDisk } from "./sense-worker.ts";
import { CLEAR, HOUR, LISTENERS, MINUTE, patternAt, SECOND, type Size, WHEN, WORKFLOWS } from "./words.ts";

/**
 * From ten seconds to an hour, on a scale of powers. In a busy world every length is as likely as any other. In the others the
 * longer ones are likelier: what goes wrong then comes upon fewer signals that are alike.
 */
const intervalOf = (below: Below, isBusy: boolean): number => {
  const share = below(1_000) / 999;
  return Math.round(10 * 360 ** (isBusy ? share : Math.cbrt(share))) * SECOND;
};

export function reflexesOf(below: Below, size: Size, isBusy: boolean, disks: ReadonlyMap<string, SenseDisk>) {
  const names = [...disks.keys()];
  const reflexes: ReflexConfig[] = [];
  const cronSenses = new Map<string, number>();
  const heard: string[] = [];
  for (const [index, sense] of names.entries()) {
    const name = `tick-${sense}`;
    // The first sense listens to another, the second has a cron time.
    if (index === 1 && !size.isDense) {
      const minutes = pick(below, [5, 15, 30, 60]);
      cronSenses.set(sense, minutes);
      const cron = minutes === 60 ? "0 * * * *" : `*/${minutes} * * * *`;
      reflexes.push(senseReflex({ name, sense, cron, tz: "UTC" }));
    } else if (index === 0 && names.length > 2) {
      const on = [pick(below, names.slice(2))];
      reflexes.push(senseReflex({ name, sense, on }));
    } else {
      const intervalMs = size.isDense ? SECOND : intervalOf(below, isBusy);
      const catchUp = below(8) === 0 ? "one" : null;
      const onStart = below(3) === 0;
      reflexes.push(
        senseReflex({ name, sense, intervalMs, jitterMs: below(2) === 0 ? 5 * SECOND : null, catchUp, onStart }),
      );
      heard.push(sense);
    }
  }
  // Whoever watches the kernel looks twice a second.
  const [, , watcher] = names;
  if (watcher !== undefined && !size.isDense && below(4) === 0)
    reflexes.push(senseReflex({ name: `watch-${watcher}`, sense: watcher, watch: [{ kind: "module" }] }));
  for (let index = 0; index < size.reflexes; index++) {
    const words = withWords(below, index, heard.length > 0 ? heard : names, disks);
    reflexes.push(withIncident(below, words, reflexes));
  }
  for (let index = 0; index < size.reflexes / 8; index++) reflexes.push(timedOf(below, index));
  return { reflexes, cronSenses };
}

/** Nights of a few hours, on some hosts. */
export const quietHoursOf = (below: Below): NerveConfig["quietHours"] =>
  below(3) > 0
    ? []
    : [
        {
          below: pick(below, ["warning", "critical"]),
          fromMinute: 60 * below(24),
          toMinute: 60 * below(24) + 30,
          tz: "UTC",
          days: null,
        },
      ];

/** Some reflexes that start a workflow keep incidents in place of words of their own about when. */
function withIncident(below: Below, words: ReflexConfig, before: readonly ReflexConfig[]): ReflexConfig {
  if (words.kind !== "workflow" || words.when === null || below(3) > 0) return words;
  const others = before.flatMap((one) => (one.kind === "workflow" && one.incident !== null ? one.name : []));
  const inhibitedBy = others.length > 0 && below(4) === 0 ? [pick(below, others)] : [];
  const escalate = [...Array(below(3)).keys()].map((index) => ({
    afterMs: (10 + 20 * index + below(20)) * MINUTE,
    workflow: pick(below, WORKFLOWS),
  }));
  const isSeveral = words.on.length > 1 && words.key === null;
  return {
    ...words,
    edge: null,
    count: null,
    debounce: null,
    throttleMs: null,
    key: isSeveral ? "$sense" : words.key,
    incident: {
      severity: pick(below, [null, "info", "warning", "critical", "{{ payload.severity }}"]),
      summary: pick(below, [null, "{{ payload.level }} of {{ payload.host }}"]),
      resolveAfterMs: pick(below, [null, MINUTE, 7 * MINUTE]),
      remindEveryMs: pick(below, [null, 10 * MINUTE, HOUR]),
      escalate,
      inhibitedBy,
    },
  };
}

/** A workflow that the clock starts. */
function timedOf(below: Below, index: number): ReflexConfig {
  const minutes = pick(below, [15, 30, 60]);
  const isCron = below(2) === 0;
  const cron = minutes === 60 ? "7 * * * *" : `*/${minutes} * * * *`;
  return workflowReflex({
    name: `timed-${index}`,
    on: [],
    workflow: pick(below, WORKFLOWS),
    input: { by: "the clock" },
    cron: isCron ? cron : null,
    tz: isCron ? "UTC" : null,
    intervalMs: isCron ? null : minutes * MINUTE,
    jitterMs: isCron || below(2) === 0 ? null : 20 * SECOND,
    catchUp: pick(below, [null, "one", "none"] as const),
    onStart: below(2) === 0,
  });
}

/** A reflex with some of the words, as the rules of a configuration allow. */
function withWords(
  below: Below,
  index: number,
  names: readonly string[],
  disks: ReadonlyMap<string, SenseDisk>,
): ReflexConfig {
  const first = pick(below, names);
  const disk = disks.get(first);
  const each = disk?.hasItems && below(2) === 0 ? "items" : null;
  const several = each === null && below(4) === 0 ? [...new Set([first, pick(below, names)])] : [first];
  const when = below(5) === 0 ? null : patternAt(pick(below, WHEN));
  const edge = when === null ? null : pick(below, [null, "level", "rising", "falling"] as const);
  const clear = when !== null && edge !== "falling" && below(4) === 0 ? patternAt(pick(below, CLEAR)) : null;
  const forMs = when !== null && edge !== "level" && below(2) === 0 ? pick(below, [20, 60, 300, 1_200]) * SECOND : null;
  const count = forMs === null && below(5) === 0 ? { n: 2 + below(3), withinMs: pick(below, [1, 10]) * MINUTE } : null;
  const debounce =
    below(5) === 0 ? { waitMs: pick(below, [5, 60]) * SECOND, maxMs: below(2) === 0 ? 5 * MINUTE : null } : null;
  // Without it every signal would be a run: one in sixteen reflexes is like that.
  const throttleMs = below(16) > 0 ? pick(below, [5, 60, 120, 240]) * MINUTE : null;
  const hasState = forMs !== null || clear !== null || count !== null || edge === "rising" || edge === "falling";
  const key =
    each !== null
      ? "id"
      : several.length > 1 && hasState
        ? "$sense"
        : pick(below, [null, "host", "$sense", "$one", ["$sense", "host"]] as const);
  const words = {
    name: `rule-${index}`,
    on: several,
    when,
    clear,
    edge,
    forMs,
    count,
    debounce,
    throttleMs,
    key,
    each,
  };
  if (below(5) === 0) return senseReflex({ ...words, sense: pick(below, [...disks.keys()].slice(0, LISTENERS)) });
  return workflowReflex({ ...words, workflow: pick(below, WORKFLOWS) });
}
