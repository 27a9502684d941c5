/**
 * What must be of looks, whoever looks: a kernel says what is committed, of the senses, reflexes and workflows of its
 * configuration.
 */
import type { Failures, Status } from "../../../src/control/contract.ts";
import type { MetricsLook } from "../../../src/control/metrics-look.ts";
import type { NerveConfig } from "../../../src/model/config.ts";
import { violation } from "./report.ts";

/** What the model knows of the present. */
export interface Present {
  readonly config: NerveConfig;
  readonly active: Iterable<{ readonly workflow: string; readonly state: string }>;
  readonly incidents: Iterable<{ readonly state: string }>;
  readonly isDisabled: (sense: string) => boolean;
}

/** Once nothing is under way: a look amid a reload sees a part of each configuration. */
export function isWellSeen(status: Status, { config, active, incidents, isDisabled }: Present): void {
  const names = (what: string, are: readonly string[], must: Iterable<string>): void => {
    if ([...are].sort().join() !== [...must].sort().join())
      violation("look", `a look shows the ${what} ${are}, and ${[...must]} are configured`);
  };
  names(
    "senses",
    status.senses.map(({ name }) => name),
    config.senses.keys(),
  );
  names(
    "workflows",
    status.workflows.map(({ name }) => name),
    config.workflows.keys(),
  );
  names(
    "reflexes",
    status.reflexes.map(({ name }) => name),
    config.reflexes.map(({ name }) => name),
  );
  names(
    "channels",
    status.channels.map(({ name }) => name),
    config.channels.keys(),
  );
  for (const { name, state } of status.senses)
    if ((state === "disabled") !== isDisabled(name))
      violation("look", `a look shows ${name} ${state}, and it is ${isDisabled(name) ? "" : "not "}disabled`);
  const alive = Object.groupBy(active, ({ workflow }) => workflow);
  for (const { name, running, queued, sleeping } of status.workflows) {
    const must = alive[name]?.length ?? 0;
    // The code of a run that has ended may keep its slot.
    if (running + queued + sleeping < must)
      violation("look", `a look shows ${running + queued + sleeping} runs of ${name}, and ${must} have not ended`);
    const waiting = (alive[name] ?? []).filter(({ state }) => state === "queued").length;
    if (queued > waiting) violation("look", `a look shows ${queued} runs of ${name} that wait, and ${waiting} do`);
  }
  const open = [...incidents].filter(({ state }) => state !== "resolved");
  const acked = open.filter(({ state }) => state === "acked");
  const { incidents: shown } = status;
  if (shown.open !== open.length || shown.acked !== acked.length)
    violation(
      "look",
      `a look shows ${shown.open} open incidents, ${shown.acked} acknowledged, and there are ${open.length} and ${acked.length}`,
    );
}

const BAD = ["failed", "timed-out", "dropped"];

/** Every run that has ended badly after log `after` is shown once, in the order of their ends. */
export function failuresAreSeen(
  { runs, up_to, archived }: Failures,
  after: number,
  known: ReadonlyMap<number, { readonly id: number; readonly state: string; readonly lastLog: number }>,
): void {
  const shown = runs.map(({ id, run }) => `${id} ${run}`);
  const must = [...known.values()]
    .filter(({ state, lastLog }) => BAD.includes(state) && lastLog > after && lastLog <= up_to)
    .sort((a, b) => a.lastLog - b.lastLog)
    .map(({ id, lastLog }) => `${lastLog} ${id}`);
  if (archived === 0 ? `${shown}` !== `${must}` : shown.some((one) => !must.includes(one)))
    violation("look", `a look shows the failures ${shown} after log ${after}, and there are ${must}`);
}

/** Since the kernel started, which is not before the first signal. */
export function isWellCounted({ senses }: MetricsLook, signals: number): void {
  const counted = senses.reduce((sum, sense) => sum + sense.signals, 0);
  if (counted > signals) violation("look", `a look counts ${counted} signals, and there were ${signals}`);
}
