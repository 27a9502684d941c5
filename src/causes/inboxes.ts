/** Owns what is wrong with the inbox of a sense: dead items, and no room for more. */
import { counted } from "../base/counted.ts";
import { formatSize } from "../base/size.ts";
import { inboxBoundsOf } from "../config/defaults.ts";
import type { SenseConfig } from "../model/config.ts";
import type { Item } from "../model/item.ts";
import type { ItemTotal } from "../store/inbox.ts";
import { type NextCommand, type NotDone, notDone, type Scene } from "./scene.ts";
import { moment } from "./words.ts";

export interface InboxState {
  readonly sense: string;
  readonly waiting: number;
  readonly dead: number;
  /** The bound that leaves no room, as it stands in nerve.yaml; null: there is room. */
  readonly full: string | null;
  /** The oldest of each; null: there is none. */
  readonly oldest: Item | null;
  readonly firstDead: Item | null;
}

/** Null for a sense without an inbox, and where nothing lies in it. */
export function inboxOf(scene: Scene, { name, inbox }: SenseConfig, counts = countsIn(scene)): InboxState | null {
  const own = counts.find(({ sense }) => sense === name);
  if (inbox === null || own === undefined || own.waiting + own.dead === 0) return null;
  const first = (state: Item["state"]): Item | null =>
    scene.store.inbox.olderThan(name, Number.MAX_SAFE_INTEGER, state, 1)[0] ?? null;
  const { items, bytes } = inboxBoundsOf(inbox);
  const bound = own.waiting + own.dead >= items ? `max: ${items}` : `bytes: ${formatSize(bytes)}`;
  return {
    sense: name,
    waiting: own.waiting,
    dead: own.dead,
    full: own.isFull ? bound : null,
    oldest: own.waiting === 0 ? null : first("waiting"),
    firstDead: own.dead === 0 ? null : first("dead"),
  };
}

interface Counts {
  readonly sense: string;
  readonly waiting: number;
  readonly dead: number;
  readonly isFull: boolean;
}

/** From the daemon where one answers: the store would be read whole. */
function countsIn({ status, store, config }: Scene): readonly Counts[] {
  if (status !== null) {
    const full = new Set(status.boxes.flatMap((box) => (box.full ? [box.sense] : [])));
    return status.inboxes.map((counts) => ({ ...counts, isFull: full.has(counts.sense) }));
  }
  return [...Map.groupBy(store.inbox.totals(), ({ sense }) => sense)].map(([sense, totals]) => {
    const sum = (of: (total: ItemTotal) => number): number => totals.reduce((all, total) => all + of(total), 0);
    const dead = sum(({ state, items }) => (state === "dead" ? items : 0));
    const inbox = config?.senses.get(sense)?.inbox ?? null;
    const most = inbox === null ? null : inboxBoundsOf(inbox);
    const isFull =
      most !== null && (sum(({ items }) => items) >= most.items || sum(({ bytes }) => bytes) >= most.bytes);
    return { sense, waiting: sum(({ items }) => items) - dead, dead, isFull };
  });
}

/** Inboxes that want a person, of all senses. */
export function troubledInboxes(scene: Scene): InboxState[] {
  const counts = countsIn(scene).filter(({ dead, isFull }) => dead > 0 || isFull);
  return [...(scene.config?.senses.values() ?? [])].flatMap((sense) => inboxOf(scene, sense, counts) ?? []);
}

/** What is wrong with it, in a few words; null: nothing is. */
export function inboxTrouble({ dead, full }: InboxState): string | null {
  if (full !== null) return "a full inbox";
  return dead === 0 ? null : counted(dead, "dead item");
}

/** Sentences about what lies in it. */
export function inboxWords({ now }: Scene, { waiting, dead, full, oldest, firstDead }: InboxState): string[] {
  const words: string[] = [];
  if (full !== null) words.push(`Its inbox is full (\`${full}\`).`);
  if (waiting > 0) {
    const since = oldest === null ? "" : `, the oldest since ${moment(oldest.at, now)}`;
    words.push(`${counted(waiting, "item")} ${waiting === 1 ? "waits" : "wait"} in its inbox${since}.`);
  }
  if (dead > 0) {
    const first =
      firstDead === null
        ? ""
        : `: item ${firstDead.id}, accepted at ${moment(firstDead.at, now)}, failed ${counted(firstDead.failures, "time")} alone`;
    const rest = first === "" || dead === 1 ? "" : `, and ${dead - 1} more`;
    words.push(`${counted(dead, "item")} ${dead === 1 ? "is" : "are"} dead${first}${rest}.`);
  }
  return words;
}

/** What does not become of items. */
export function inboxNotDone({ waiting, dead, full }: InboxState): NotDone[] {
  const found: NotDone[] = [];
  if (full !== null) {
    const until = waiting > 0 ? "the sense has taken some" : "a person has dropped some";
    found.push(notDone("full", `What is pushed is answered 429 until ${until}; what was accepted is not lost.`));
  }
  if (dead > 0) {
    found.push(
      notDone(
        "dead",
        "A dead item is taken by no compute until a person has it tried again. The items behind it are taken.",
      ),
    );
  }
  return found;
}

export function inboxCommands({ sense, waiting, dead, firstDead }: InboxState): NextCommand[] {
  const one =
    firstDead === null
      ? []
      : [
          { command: `nerve inbox show ${firstDead.id}`, does: "the item, whole" },
          { command: `nerve inbox retry ${firstDead.id}`, does: "once the sense is mended" },
          { command: `nerve inbox drop ${firstDead.id}`, does: "gives it up" },
        ];
  return waiting + dead === 0 ? [] : [{ command: `nerve inbox ${sense}`, does: "what lies in it" }, ...one];
}
