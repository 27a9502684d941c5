/** What a thread is given as its trigger. */
import { expect, test } from "bun:test";
import type { RunOrder } from "../../../src/kernel/memory/run.ts";
import { triggerOf } from "../../../src/kernel/runs/replay.ts";
import type { BatchItem } from "../../../src/model/batch.ts";
import type { Trigger } from "../../../src/model/trigger.ts";

const OF_NONE: Trigger = {
  ...{ id: null, sense: null, at: null, reflex: null, key: null },
  ...{ isElement: false, due: null, incident: null },
};
const orderOf = (trigger: Trigger): RunOrder => ({
  ...{ trigger, input: 1, decision: null, trace: "t", retryOf: null, fromStep: null },
});
const host = { hostName: "hub", payloadOf: () => null };
const itemOf = (sense: string | null): BatchItem => {
  const { isElement: _, ...rest } = OF_NONE;
  return { ...rest, sense, payload: 1, signal: null, batch: null };
};

test("the host of a trigger is the one that the signal came from, and this one where none sent it", () => {
  const hostOf = (sense: string | null): string =>
    triggerOf({ order: orderOf({ ...OF_NONE, sense }), batch: null }, host).host;
  expect(["web1/load", "load", null].map(hostOf)).toEqual(["web1", "hub", "hub"]);
});

test("each item of a batch has the host of its own signal", () => {
  const batch = { items: [itemOf("web1/load"), itemOf("load")], more: 3 };
  const given = triggerOf({ order: orderOf(OF_NONE), batch }, host).batch as typeof batch;
  expect(given).toMatchObject({ items: [{ host: "web1" }, { host: "hub" }], more: 3 });
});
