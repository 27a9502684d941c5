/** What is typed into a filter: `word key:value -key:value`. Words are looked for everywhere, case does not matter. */

export interface Filter {
  readonly words: readonly string[];
  readonly is: readonly (readonly [key: string, value: string])[];
  readonly isNot: readonly (readonly [key: string, value: string])[];
}

export function parseFilter(text: string): Filter {
  const words: string[] = [];
  const is: [string, string][] = [];
  const isNot: [string, string][] = [];
  for (const part of text
    .toLowerCase()
    .split(/\s+/)
    .filter((piece) => piece !== "")) {
    const pair = /^(-?)([a-z_]+):(.+)$/.exec(part);
    if (pair === null) words.push(part);
    else (pair[1] === "-" ? isNot : is).push([pair[2] ?? "", pair[3] ?? ""]);
  }
  return { words, is, isNot };
}

/** `fields`: what a row is known by; a word may stand in any of them. */
export function passes(filter: Filter, fields: Readonly<Record<string, string | null>>): boolean {
  const low = (key: string): string => (fields[key] ?? "").toLowerCase();
  const all = Object.values(fields).join("\n").toLowerCase();
  return (
    filter.words.every((word) => all.includes(word)) &&
    filter.is.every(([key, value]) => low(key).includes(value)) &&
    !filter.isNot.some(([key, value]) => low(key).includes(value))
  );
}

/** The values that a filter asks of `key`. */
export const asked = (filter: Filter, key: string): readonly string[] =>
  filter.is.filter(([name]) => name === key).map(([, value]) => value);
