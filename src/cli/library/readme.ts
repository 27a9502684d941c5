/** Owns the split of a built-in's README into its summary, its example, the words of its tables on each name, and the rest. */

export interface Readme {
  readonly summary: string;
  /** An example for nerve.yaml, ready to paste. */
  readonly example: string;
  /** Name of an option → the option's row in the tables. */
  readonly options: ReadonlyMap<string, Row>;
  /** Key of the payload → the key's row in the tables. */
  readonly keys: ReadonlyMap<string, Row>;
  /** Paragraphs and lists other than the summary and the example. */
  readonly notes: readonly string[];
  /** Tables that describe neither options nor keys. */
  readonly tables: readonly Table[];
}

export interface Row {
  /** The default as the table writes it; null in a table without defaults. */
  readonly fallback: string | null;
  readonly about: string;
}

const isTable = (block: string): boolean => block.startsWith("|");

export function readReadme(text: string): Readme {
  const example = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
  const blocks = text
    .replace(/^# .*\n/, "")
    .replace(/```[\s\S]*?```/g, "")
    .split(/\n{2,}/)
    .map((block) => block.trim())
    .filter((block) => block !== "");
  const tables = blocks.filter(isTable).map(cellsOf);
  const [summary = "", ...notes] = blocks.filter((block) => !isTable(block)).map(plain);
  return {
    summary: summary.replace(/(?:\.|:)? One sense per path:$|[:.]$/, ""),
    example: example.trimEnd(),
    options: new Map(tables.filter(isAbout("option")).flatMap(rowsOf)),
    keys: new Map(tables.filter(isAbout("key")).flatMap(rowsOf)),
    notes: notes.filter((note) => note !== "Payload" && !note.endsWith(":")),
    tables: tables.filter((table) => !isAbout("option")(table) && !isAbout("key")(table)),
  };
}

/** Puts prose on one line, without marks of emphasis. */
const plain = (block: string): string => block.replaceAll("**", "").replace(/\n(?!- )/g, " ");

const cellsOf = (block: string): string[][] =>
  block
    .split("\n")
    .filter((line) => !/^\|[\s:|-]+\|$/.test(line))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf("|"))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );

type Table = readonly (readonly string[])[];

const isAbout =
  (what: "key" | "option") =>
  ([head]: Table): boolean =>
    head?.[0] === what;

const codeIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);

/** Names in one row share the description. The defaults in the row are in the order of the names. */
function rowsOf([, ...lines]: Table): [string, Row][] {
  return lines.flatMap((cells) => {
    const names = codeIn(cells[0] ?? "");
    const about = plain(cells.at(-1) ?? "");
    if (cells.length < 3) return names.map((name): [string, Row] => [name, { fallback: null, about }]);
    const written = cells[1] ?? "";
    const defaults = codeIn(written);
    return names.map((name, at): [string, Row] => [
      name,
      { fallback: defaults[at] ?? defaults[0] ?? (written === "" ? null : written), about },
    ]);
  });
}
