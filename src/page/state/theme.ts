/** Light or dark: as the system has it, until a person says otherwise. */
import { signal } from "@preact/signals";

const NAMES = ["system", "light", "dark"] as const;
export type Theme = (typeof NAMES)[number];
const STORED = "nerve.theme";

/** A browser may refuse to keep anything: then the choice lasts as long as the page. */
function stored(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

export const theme = signal<Theme>("system");
/** Rises at each change of colours: what is drawn on a canvas is drawn anew. */
export const colours = signal(0);

function show(name: Theme): void {
  theme.value = name;
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  colours.value += 1;
}

export function nextTheme(): void {
  const name = NAMES[(NAMES.indexOf(theme.peek()) + 1) % NAMES.length] ?? "system";
  show(name);
  try {
    localStorage.setItem(STORED, name);
  } catch {
    // The choice lasts as long as the page.
  }
}

export function startTheme(): void {
  show(NAMES.find((name) => name === stored()) ?? "system");
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    colours.value += 1;
  });
}
