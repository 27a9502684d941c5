/**
 * What is looked at once logs.db was put back from a copy: that delivered signals are taken once each, in order. All else that
 * the model remembers is of a history that is no longer there.
 */
import type { NerveConfig } from "../../../src/model/config.ts";
import type { Change } from "../store.ts";
import type { DeliveryOracle } from "./deliveries.ts";
import type { Oracle } from "./oracle.ts";

/** Whatever is asked of it, it does nothing. */
const nothing: unknown = new Proxy(() => {}, {
  get: (_, key) => (key === Symbol.toPrimitive ? () => 0 : nothing),
  apply: () => nothing,
});

export function onlyDeliveries(deliveries: DeliveryOracle, removedSignals: number): Oracle {
  let removed = removedSignals;
  const see = (change: Change): void => {
    if (change.kind === "signal") deliveries.signal(change.id, change.signal.sense, change.signal.payload);
    if (change.kind === "switched" && change.name.startsWith("reflex:"))
      deliveries.switched(change.name.slice("reflex:".length), change.enabled);
    if (change.kind !== "removed-signals") return;
    removed += change.count;
    deliveries.removed(removed);
  };
  const own: Readonly<Record<string, unknown>> = {
    committed: (changes: readonly Change[]) => changes.forEach(see),
    configured: (config: NerveConfig) => deliveries.configured(config),
    sources: new Proxy({}, { get: (_, key) => (key === "deliveries" ? deliveries : nothing) }),
  };
  return new Proxy({}, { get: (_, key) => own[String(key)] ?? nothing }) as Oracle;
}
