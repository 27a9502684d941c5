/** The keys of the page. None with ctrl, alt or meta, and none while a person types. */
import { signal } from "@preact/signals";
import { hostNow, now, paused } from "./clock.ts";
import { moveRange } from "./range.ts";
import { go, param, setParams, type View } from "./route.ts";
import { nextTheme } from "./theme.ts";
import { copy } from "./toast.ts";

export const helpOpen = signal(false);

/** Behind `g`, in the order in which the views are listed. */
export const GO: Readonly<Record<string, View>> = {
  n: "now",
  s: "senses",
  v: "signals",
  t: "story",
  r: "reflexes",
  u: "runs",
  i: "incidents",
  l: "logs",
  g: "graph",
  d: "store",
};

/** Keys and what they do, as `?` lists them. */
export const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ...Object.entries(GO).map(([key, name]) => [`g ${key}`, name] as const),
  ["/", "filter; esc leaves"],
  ["j k", "next, previous row"],
  ["enter", "open the row"],
  ["esc", "close"],
  ["[ ]", "earlier, later"],
  ["f", "follow (logs)"],
  ["space", "pause, go on"],
  ["z", "unfold (story)"],
  ["c", "copy the command of the row"],
  ["\\", "theme"],
  ["?", "these keys"],
];

const CHORD_MS = 1_000;
let chordUntil = 0;

/** What a view does at a key of its own. */
const own = new Map<string, () => void>();
export function onKey(key: string, act: () => void): () => void {
  own.set(key, act);
  return () => {
    if (own.get(key) === act) own.delete(key);
  };
}

/** Whether the screen stands still. */
export function togglePause(): void {
  paused.value = !paused.value;
  if (!paused.value) now.value = hostNow();
}

/** Rows that `j` and `k` walk through: whatever is marked as one. */
const rows = (): HTMLElement[] =>
  [...document.querySelectorAll<HTMLElement>("main [data-row]")].filter((row) => row.offsetParent !== null);

function walk(step: 1 | -1): void {
  const all = rows();
  const at = all.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function copyOfRow(): void {
  const row = document.activeElement?.closest("tr, li, [data-row], section") ?? null;
  const found =
    row?.querySelector<HTMLElement>("[data-command]") ?? document.querySelector<HTMLElement>("main [data-command]");
  const text = found?.dataset.command;
  if (text !== undefined) void copy(text);
}

/** What is open closes, and what has the focus leaves it. */
function close(): void {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  if (param("sel") !== "") setParams({ sel: null }, "push");
}

const PLAIN: Readonly<Record<string, () => void>> = {
  "/": () => document.getElementById("filter")?.focus(),
  j: () => walk(1),
  k: () => walk(-1),
  "[": () => moveRange(-1),
  "]": () => moveRange(1),
  " ": togglePause,
  c: copyOfRow,
  "\\": nextTheme,
  Escape: close,
  "?": () => {
    helpOpen.value = true;
  },
};

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;

/** The space bar presses what has the focus, where that is a button or a link. */
const isPressing = (event: KeyboardEvent): boolean =>
  event.key === " " && event.target instanceof HTMLElement && event.target.closest("button, a, summary") !== null;

function pressed(event: KeyboardEvent): void {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") (event.target as HTMLElement).blur();
    return;
  }
  if (helpOpen.peek() || isPressing(event)) return;
  if (performance.now() < chordUntil) {
    chordUntil = 0;
    const view = GO[event.key];
    if (view !== undefined) go(view);
    return;
  }
  if (event.key === "g") {
    chordUntil = performance.now() + CHORD_MS;
    return;
  }
  const act = own.get(event.key) ?? PLAIN[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
}

export const startKeys = (): void => addEventListener("keydown", pressed);
