/** Owns `nerve fleet check`: whether this host can do with the servers what it needs to. */
import { safeJson } from "../../base/escape.ts";
import { isJsonObject, readJson } from "../../base/json.ts";
import { ok } from "../../base/result.ts";
import { duration } from "../../base/times.ts";
import type { Status } from "../../control/contract.ts";
import type { Found } from "../../fleet/nats/examine.ts";
import { receivedBy } from "../../model/fleet.ts";
import { problem } from "../../model/problem.ts";
import { isFilling, roomWords } from "../../model/stream-room.ts";
import { EXIT, fail, type Outcome } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { findPlace } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { print } from "../screen/terminal.ts";
import { joined, settingsOf } from "./access.ts";

/** The epoch under which frames leave: one of their own after data was put back by copy, until logs.db begins another one. */
export function sendingEpoch(meta: { get(key: string): string | null }): string | null {
  const epoch = meta.get("epoch");
  const kept = readJson(meta.get("fleet.out") ?? "null");
  const isSame = isJsonObject(kept) && typeof kept.epoch === "string" && kept.within === epoch;
  return isSame ? (kept.epoch as string) : epoch;
}

/** Null where there is no store yet. */
function epochHere(given: string | null): string | null {
  const place = findPlace(given);
  if (!place.ok) return null;
  const opened = readStore(place.value);
  return opened.ok ? sendingEpoch(opened.value.meta) : null;
}

const lines = ({ what, why, remark }: Found): string[] => [
  why === null ? `ok      ${what}` : `failed  ${what}: ${why}`,
  ...(remark === null ? [] : [`note    ${remark}`]),
];

/** What the daemon of this host says of its two sides; nothing where no daemon answers. */
async function daemonSides(given: string | null): Promise<readonly Found[]> {
  const place = findPlace(given);
  const asked = place.ok ? await ask<Status>(place.value, "/status", null) : null;
  const fleet = asked?.ok ? asked.value.fleet : null;
  const sides = fleet === null ? [] : [["what leaves", fleet.out] as const, ["what comes", fleet.in] as const];
  return sides.flatMap(([what, side]): Found[] => {
    if (side === null || side.state === "starting") return [];
    const isWell = side.state === "connected";
    const why = isWell
      ? null
      : `${side.state} for ${duration(Math.max(0, Date.now() - side.since))}: ${side.why ?? ""}`;
    return [{ what: `${what}, as the daemon says`, why, remark: null }];
  });
}

export async function check(given: string | null, json: boolean): Promise<Outcome> {
  const at = joined(given);
  if (!at.ok) return at;
  const settings = settingsOf(at.value);
  if (!settings.ok) return settings;
  const { examine } = await import("../../fleet/nats/examine.ts");
  const { config, fleet } = at.value;
  const found: Found[] = await examine({
    settings: settings.value,
    receives: receivedBy(fleet, config.reflexes).length > 0,
    epoch: epochHere(given),
    nowMs: Date.now(),
    aboutRoom: (room) => (isFilling(room, false) ? `the stream is ${roomWords(room, Date.now())}` : null),
  });
  found.push(...(await daemonSides(given)));
  for (const one of found) print(json ? safeJson(one) : lines(one).join("\n"));
  const failed = found.filter(({ why }) => why !== null);
  if (failed.length === 0) return ok(EXIT.done);
  const [first] = failed;
  return fail(EXIT.finding, problem("fleet", `${failed.length} of ${found.length} do not work`, first?.why ?? null));
}
