/** The one short word at the foot of the page, and copying, which is what it is for. */
import { signal } from "@preact/signals";

export const toast = signal<string | null>(null);

const SHOWN_MS = 1_400;
let ends = 0;

export function say(text: string): void {
  clearTimeout(ends);
  toast.value = text;
  ends = setTimeout(() => {
    toast.value = null;
  }, SHOWN_MS) as unknown as number;
}

/** For pages that are not served from a loopback address: there the browser gives no clipboard. */
function copyBySelection(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "vh";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied: ${text}`);
  } catch {
    say(copyBySelection(text) ? `Copied: ${text}` : `The browser does not let the page copy. Type: ${text}`);
  }
}
