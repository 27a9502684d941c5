/** One sprite of 16 px symbols stands in the page's shell (`icons.svg`); this shows one of them. */

export type IconName =
  | "ok"
  | "warn"
  | "crit"
  | "fail"
  | "off"
  | "clock"
  | "pend"
  | "run"
  | "moon"
  | "retry"
  | "queue"
  | "bell"
  | "mute"
  | "gate"
  | "hand"
  | "now"
  | "eye"
  | "story"
  | "reflex"
  | "log"
  | "graph"
  | "db"
  | "search"
  | "copy"
  | "sun"
  | "key"
  | "dot"
  | "more"
  | "right"
  | "down"
  | "reload"
  | "skull"
  | "up"
  | "follow"
  | "signals"
  | "close"
  | "play"
  | "left";

/** What a colour means. */
export type Tone = "ok" | "warn" | "crit" | "idle" | "acc";

/** Decoration: a word stands beside it, or the control that holds it has a label. */
export const Icon = ({ name }: { readonly name: IconName }) => (
  <svg class="i" aria-hidden="true">
    <use href={`#i-${name}`} />
  </svg>
);
