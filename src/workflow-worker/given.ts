/** Owns what a run was given as its trigger, as authors see it. */
import { fromHost } from "../model/trigger.ts";
import type { Batch, Trigger } from "../sdk/index.ts";
import type { RunRequest } from "./setting.ts";

type Hosted = { readonly host: string };

function apart<T extends Hosted>({ host, ...rest }: T): Omit<T, "host"> & Hosted {
  return fromHost(rest, host);
}

export function givenTo({ trigger }: Pick<RunRequest, "trigger">): Trigger {
  const batch = trigger.batch as Batch | null;
  const items = batch?.items.map((item) => apart(item)) ?? [];
  return apart({ ...trigger, batch: batch === null ? null : { ...batch, items } }) as Trigger;
}
