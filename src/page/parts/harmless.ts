/**
 * Owns that text of others does nothing on the page: in every text, title and label what would turn text beside it around, or would
 * show nothing, is shown as its number, as on a terminal.
 */
import { options } from "preact";
import { escapeForTerminal } from "../../base/escape.ts";

const DRAWN = ["title", "aria-label"];

/** Lines stay lines. */
const harmless = (text: string): string => text.split("\n").map(escapeForTerminal).join("\n");

/** A node as it is made. The props of a text node are the text. */
interface Made {
  readonly type: unknown;
  props: unknown;
}

function mend(node: Made): void {
  if (typeof node.props === "string") node.props = harmless(node.props);
  if (typeof node.type !== "string") return;
  const props = node.props as Record<string, unknown>;
  for (const name of DRAWN) {
    const text = props[name];
    if (typeof text === "string") props[name] = harmless(text);
  }
}

export function drawHarmless(): void {
  const before = options.vnode;
  options.vnode = (vnode) => {
    mend(vnode as Made);
    before?.(vnode);
  };
}
