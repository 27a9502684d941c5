/** Owns the answers about reflexes: which there are and how each stands, and the account of one, as `nerve explain` gives it. */
import { systemClock } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { graphOf } from "../config/graph.ts";
import { Lifetime } from "../kernel/time/lifetime.ts";
import { keepsIncidents } from "../model/config.ts";
import { type Problem, problem } from "../model/problem.ts";
import { accounting } from "../replays/account.ts";
import { accountJson } from "../replays/account-json.ts";
import { readKeyState } from "../rules/key-state.ts";
import type { StoreReader } from "../store/open-reader.ts";
import type { ReflexAnswer, ReflexesAnswer } from "./contract-reflexes.ts";
import type { KernelLink } from "./kernel-link.ts";
import type { Place } from "./place.ts";
import { id, type Parameters, time, whole, words } from "./query.ts";
import { Slices } from "./slices.ts";

export const REFLEX_QUERY = {
  limit: whole(1, 200),
  before: id,
  key: words,
  keys_after: words,
  from: time,
  to: time,
};

export async function reflexesAnswer({ config }: Place, link: KernelLink, store: StoreReader): Promise<ReflexesAnswer> {
  const look = await link.look();
  const nodes = new Map(graphOf(config).reflexes.map((node) => [node.config.name, node]));
  const remembered = new Map<string, { keys: number; pending: number }>();
  for (const { reflex, key, state } of store.reflexes.all()) {
    if (key === "clock") continue;
    const count = remembered.get(reflex) ?? { keys: 0, pending: 0 };
    const read = readKeyState(state);
    count.keys++;
    if (read !== null && (read.holding !== null || read.burst !== null)) count.pending++;
    remembered.set(reflex, count);
  }
  const reflexes = (look?.status.reflexes ?? []).flatMap((status) => {
    const node = nodes.get(status.name);
    if (node === undefined) return [];
    const { on, key } = node.config;
    const counts = remembered.get(status.name) ?? { keys: 0, pending: 0 };
    return [
      { ...status, on, clocks: node.clocks, words: node.words, key, incident: keepsIncidents(node.config), ...counts },
    ];
  });
  return { link: link.state, reflexes };
}

const SIGNALS = 50;
/** Decisions of one answer, as far as the newest signal has no more: with `each` a signal has one for each element. */
const DECISIONS = 500;
/** Signals that are replayed, of all senses; fewer where that takes too long. */
const BACKS = [50_000, 2_000];
const RANGE_MS = 3_600_000;
/** Keys of one answer. A reflex may remember thousands. */
const KEYS = 200;

type Query = Parameters<typeof REFLEX_QUERY>;

export async function reflexAnswer(
  { config: loaded }: Place,
  store: StoreReader,
  name: string,
  { limit, before, key, keys_after: after, from }: Query,
): Promise<Result<ReflexAnswer, Problem>> {
  const config = loaded.reflexes.find((reflex) => reflex.name === name);
  if (config === undefined) return err(problem("unknown-reflex", `there is no reflex ${name}`));
  const axis = new Lifetime(systemClock(), store.meta);
  const now = Date.now();
  const since = from ?? now - RANGE_MS;
  const question = { kind: "latest", limit: limit ?? SIGNALS, most: DECISIONS, before } as const;
  for (const back of BACKS) {
    const made = await new Slices().run(accounting({ store, loaded, config, question, key, axis, now, back, since }));
    if (made === null) continue;
    return made.ok ? ok(accountJson(made.value, { after, most: KEYS })) : made;
  }
  return err(problem("too-much", `what ${name} did cannot be replayed in time`, `nerve explain ${name}`));
}
