/** What is on its way to the kernel: one message a turn, within the credit, and nobody waits for ever. */
import { expect, test } from "bun:test";
import type { Given } from "../../src/inbox/given.ts";
import type { PushMessageOf } from "../../src/ipc/push-definitions.ts";
import { Offers } from "../../src/push/offers.ts";

type Sent = PushMessageOf<"offers">["offers"];

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const plain = (body: string): Given => ({ bodies: [body], key: null, identity: null, type: null, trace: null });
const stays = (): AbortSignal => new AbortController().signal;

function kernel() {
  const messages: Sent[] = [];
  const offers = new Offers((sent) => messages.push([...sent]));
  const answer = (ids: readonly number[]): void =>
    offers.answered(ids.map((id) => ({ id, kind: "accepted", ids: [100 + id], retryAfterS: 0, key: "" })));
  return { messages, offers, answer };
}

test("what comes in one turn leaves in one message, and each sender gets its own answer", async () => {
  const { messages, offers, answer } = kernel();
  const asked = ["1", "2", "3"].map((body) => offers.offer("s", plain(body), stays()));
  await turn();
  expect(messages.map((sent) => sent.map(({ id, bodies }) => [id, bodies]))).toEqual([
    [
      [1, ["1"]],
      [2, ["2"]],
      [3, ["3"]],
    ],
  ]);
  answer([3, 1, 2]);
  expect(await Promise.all(asked)).toEqual([101, 102, 103].map((id) => ({ kind: "accepted", ids: [id] })));
});

test("more than the credit waits for an answer, in order", async () => {
  const { messages, offers, answer } = kernel();
  for (let body = 0; body < 300; body++) void offers.offer("s", plain(String(body)), stays());
  await turn();
  expect(messages.map(({ length }) => length)).toEqual([256]);
  answer([1, 2]);
  await turn();
  expect(messages[1]?.map(({ id }) => id)).toEqual([257, 258]);
});

test("large items use up the credit by their size, and one that is larger than all credit goes alone", async () => {
  const { messages, offers, answer } = kernel();
  const large = "x".repeat(600_000);
  for (const body of [large, large, "small"]) void offers.offer("s", plain(body), stays());
  await turn();
  expect(messages.map((sent) => sent.map(({ id }) => id))).toEqual([[1]]);
  answer([1]);
  await turn();
  expect(messages[1]?.map(({ id }) => id)).toEqual([2, 3]);
});

test("no more items are under way than a compute takes, and a request with more goes alone", async () => {
  const { messages, offers, answer } = kernel();
  const lines = (count: number): Given => ({ ...plain(""), bodies: Array(count).fill("1") });
  for (const count of [200, 300, 1, 1_000, 2]) void offers.offer("s", lines(count), stays());
  const ids = (): number[][] => messages.map((sent) => sent.map(({ id }) => id));
  await turn();
  expect(ids()).toEqual([[1, 2]]);
  answer([2]);
  await turn();
  expect(ids()).toEqual([[1, 2], [3]]);
  answer([1, 3]);
  await turn();
  expect(ids()).toEqual([[1, 2], [3], [4]]);
  answer([4]);
  await turn();
  expect(ids()).toEqual([[1, 2], [3], [4], [5]]);
});

test("who leaves before the message is not sent, who leaves after it is not waited for, and the credit comes back", async () => {
  const { messages, offers, answer } = kernel();
  const [early, late] = [new AbortController(), new AbortController()];
  const gone = offers.offer("s", plain("early"), early.signal);
  const left = offers.offer("s", plain("late"), late.signal);
  early.abort();
  await turn();
  expect(messages.map((sent) => sent.map(({ bodies }) => bodies[0]))).toEqual([["late"]]);
  late.abort();
  expect([await gone, await left]).toEqual([null, null]);
  answer([2]);
  for (let body = 0; body < 257; body++) void offers.offer("s", plain(String(body)), stays());
  await turn();
  expect(messages[1]?.length).toBe(256);
});

test("an answer to nothing is passed over", () => {
  const { offers, answer } = kernel();
  answer([7]);
  expect(offers.offer("s", plain("1"), AbortSignal.abort())).resolves.toBeNull();
});
