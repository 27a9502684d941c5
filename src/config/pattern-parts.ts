/** Owns the places of a reflex's words and of a module's options in the files. Problems are reported at these places. */
import { isWatching, type ReflexConfig } from "../model/config.ts";
import type { WrittenReflex } from "./reflexes.ts";
import { entryOf, found, type MapTree, type Place, type Tree } from "./tree.ts";

export interface PatternPart {
  readonly tree: Tree;
  /** Null for an item of a list, and for the whole tree. */
  readonly key: string | null;
  /** The place of the field's name; without a name the place of the value. */
  readonly keyPlace: Place;
}

/** Each function returns the innermost part on the way to a dotted `path`, as it stands in the files, or null. */
export interface Parts {
  /** `word` is a word of the reflex, such as `when` or `key`. */
  readonly reflexPart: (reflex: ReflexConfig, word: string, path: string) => PatternPart | null;
  /** A part of the `with` of a sense or workflow. */
  readonly withPart: (kind: "sense" | "workflow", name: string, path: string) => PatternPart | null;
  /** A part of what stands under the kind of a channel. */
  readonly channelPart: (name: string, path: string) => PatternPart | null;
  /** The place of the name of a sense or workflow in its section, or of its `use`. */
  readonly entryPlace: (kind: "sense" | "workflow", name: string, key: "use" | null) => Place | null;
  /** The place of the first `watch: true` that is to wake the sense. */
  readonly watchPlace: (sense: string) => Place | null;
}

export const NO_PARTS: Parts = {
  reflexPart: () => null,
  withPart: () => null,
  channelPart: () => null,
  entryPlace: () => null,
  watchPlace: () => null,
};

/** `root` holds every section, with the included files merged in. */
export function partsOf(root: MapTree, reflexes: readonly WrittenReflex[]): Parts {
  const listed = entryOf(root, "reflexes");
  const wordOf = (written: WrittenReflex | undefined, word: string): Tree | null => {
    const tree = listed?.kind === "list" ? listed.items.find((item) => item.place === written?.place) : null;
    return entryOf(tree ?? null, word);
  };
  return {
    reflexPart(reflex, word, path) {
      const part = wordOf(
        reflexes.find(({ config }) => config === reflex),
        word,
      );
      return part === null ? null : partAt(part, path);
    },
    watchPlace(sense) {
      const watches = ({ config }: WrittenReflex): boolean =>
        config.kind === "sense" && config.sense === sense && isWatching(config, "module");
      return wordOf(reflexes.find(watches), "watch")?.place ?? null;
    },
    withPart(kind, name, path) {
      const options = entryOf(entryOf(entryOf(root, `${kind}s`), name), "with");
      return options === null ? null : partAt(options, path);
    },
    channelPart(name, path) {
      const channel = entryOf(entryOf(root, "channels"), name);
      const [kind] = channel?.kind === "map" ? channel.entries : [];
      return kind === undefined ? null : partAt(kind.value, path);
    },
    entryPlace(kind, name, key) {
      const section = entryOf(root, `${kind}s`);
      const entry = section?.kind === "map" ? section.entries.find((one) => one.key === name) : undefined;
      const value = entry === undefined || key === null ? null : entryOf(entry.value, key);
      return value?.place ?? entry?.keyPlace ?? null;
    },
  };
}

/** The innermost part on the way to a dotted `path`. The path may lack the `?` of an optional field. */
export function partAt(tree: Tree, path: string): PatternPart {
  let part: PatternPart = { tree, key: null, keyPlace: tree.place };
  for (let rest = path; rest !== ""; ) {
    const step = stepInto(part.tree, rest);
    if (step === null) break;
    part = step.part;
    rest = step.rest;
  }
  return part;
}

function stepInto(tree: Tree, path: string): { readonly part: PatternPart; readonly rest: string } | null {
  if (tree.kind === "list") {
    const [text, index] = /^\[(\d+)\]/.exec(path) ?? [];
    const item = tree.items[Number(index)];
    if (text === undefined || item === undefined) return null;
    return { part: { tree: item, key: null, keyPlace: item.place }, rest: path.slice(text.length).replace(/^\./, "") };
  }
  if (tree.kind !== "map") return null;
  const named = tree.entries.flatMap(({ key, keyPlace, value }) => {
    const name = [key, key.replace(/\?$/, "")].find((one) => isFirst(one, path));
    return name === undefined ? [] : { name, part: { tree: value, key, keyPlace } };
  });
  // A key may hold a dot itself.
  const [longest] = named.toSorted((a, b) => b.name.length - a.name.length);
  if (longest === undefined) return null;
  return { part: longest.part, rest: path.slice(longest.name.length).replace(/^\./, "") };
}

const isFirst = (name: string, path: string): boolean =>
  path.startsWith(name) && ["", ".", "["].includes(path.charAt(name.length));

/** The text that stands at a part, as a message names the text. Null where several texts stand there, as at `[string]: number`. */
export const foundText = ({ tree, key }: PatternPart): string | null =>
  tree.kind === "scalar" && key?.startsWith("[") !== true ? found(tree) : null;
