/** How wide the screen is, in the steps of the style sheet. */
import { signal } from "@preact/signals";

/** Columns of a table go at 1100 and at 900 px; at 600 px a row is a card. */
export type Screen = "wide" | "middle" | "narrow" | "phone";

const at = (px: number): MediaQueryList => matchMedia(`(max-width: ${px}px)`);

export const screen = signal<Screen>("wide");

export function startScreen(): void {
  const [phone, narrow, middle] = [at(600), at(900), at(1_100)];
  const read = (): void => {
    screen.value = phone.matches ? "phone" : narrow.matches ? "narrow" : middle.matches ? "middle" : "wide";
  };
  for (const step of [phone, narrow, middle]) step.addEventListener("change", read);
  read();
}
