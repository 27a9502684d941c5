/** Who in the kernel answers what may be asked of it, and who does what it is to do. */
import { err, ok } from "../../base/result.ts";
import type { Acts } from "../../control/acts.ts";
import type { Looks } from "../../control/looks.ts";
import { problem } from "../../model/problem.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Engine } from "../engine.ts";
import type { Retention } from "../upkeep/retention.ts";
import { statusIn } from "./asked.ts";
import { metricsOf } from "./metrics.ts";
import type { Reloads } from "./reload.ts";
import { type StatusParts, statusOf } from "./status.ts";

export const looksOf = (parts: StatusParts, ledger: Ledger): Looks => ({
  status: () => statusOf(parts),
  metrics: () => metricsOf(parts.engine, ledger),
  silences: () => parts.engine.silences.list(),
  failures: (after) => parts.engine.workflows.endings.after(after),
});

export function actsOf(engine: Engine, reloads: Reloads, retention: Retention): Acts {
  const { requests, workflows, silences, incidentRequests, inboxes, leavings } = engine;
  return {
    retryItems: (ids) => leavings.retry(ids),
    dropItems: (ids) => leavings.drop(ids),
    offer: (sense, given) => inboxes.offer(sense, given),
    trigger: (name) => requests.trigger(name),
    enable: (name) => requests.switch(name, true),
    disable: (name) => requests.switch(name, false),
    release: (name) => requests.release(name),
    reload: () => reloads.reload(),
    run: (workflow, input) => workflows.byHand.run(workflow, input),
    cancel: (run) => workflows.byHand.cancel(run),
    retry: (run, fromStep) => workflows.byHand.retry(run, fromStep),
    silence: (request) => silences.set(request),
    ack: (request) => incidentRequests.ack(request),
    resolve: (request) => incidentRequests.resolve(request),
    unsilence: (pattern) => silences.clear(pattern),
    askHosts: (hosts) => askHosts(engine, hosts),
    forgetHost: (host) => engine.fleet.forget(host),
    archive: () => retention.now(),
  };
}

async function askHosts({ fleet }: Engine, hosts: readonly string[]): ReturnType<Acts["askHosts"]> {
  const answers = await fleet.ask(hosts);
  if (answers === null) {
    const hint = "`nerve status` says how the fleet is; without `fleet` in nerve.yaml there is none";
    return err(problem("no-fleet", "no fleet process carries the question", hint));
  }
  return ok({
    hosts: answers.map(({ host, text, why }) => {
      if (text === null) return { host, status: null, why };
      const status = statusIn(text);
      return status.ok ? { host, status: status.value, why: null } : { host, status: null, why: status.error };
    }),
  });
}
