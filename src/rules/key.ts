/** Owns `key`: the state of a reflex that a signal, or an element of its payload, belongs to. */
import { sha256 } from "../base/digest.ts";
import type { Json } from "../base/json.ts";
import { partsOfName } from "../model/full-name.ts";
import { fieldOf } from "./field.ts";

/** The word as in nerve.yaml: a dotted path, `$sense`, `$host`, `$one`, or a list of paths, `$sense` and `$host`. */
export type KeyWord = string | readonly string[];

export interface Key {
  readonly key: string;
  /** The payload has no scalar at one of the paths. `null` stands in its place. */
  readonly isMissing: boolean;
}

/** One state for each sense of `on`. */
export const BY_SENSE = "$sense";
/** One state for each host whose signals come in. */
export const BY_HOST = "$host";
/** One state for everything, on purpose. */
export const ONE_STATE = "$one";

/** The key of a reflex with one state for everything. */
export const ONLY_KEY = "";
const ONLY: Key = { key: ONLY_KEY, isMissing: false };
const MISSING: Key = { key: "null", isMissing: true };
const MAX_LENGTH = 128;
const DIGEST = "sha256:";

/** A key for people and programs: the scalar itself, a list of scalars, or the digest of a long text. */
export const shownKey = (key: string): Json =>
  key === ONLY_KEY ? null : key.startsWith(DIGEST) ? key : (JSON.parse(key) as Json);

/** A key within a sentence. */
export const shownKeyText = (key: Json): string => (Array.isArray(key) ? key.map(String).join(", ") : String(key));

/** True when a person who writes `given` means `key`: its value, its JSON, or the values of a list with commas between. */
export const isNamedKey = (key: string, given: string): boolean =>
  key === given || key === keyOfValue(given) || shownKeyText(shownKey(key)) === given;

/** One reflex remembers at most this many keys at a time, so its memory stays within some megabytes. */
export const MAX_KEYS = 16_384;

/** True when `key` tells states apart at all. */
export const isKeyed = (word: KeyWord | null): word is KeyWord => word !== null && word !== ONE_STATE;

/** True when `word` keeps one state a sense, with or without further parts. */
export const isBySense = (word: KeyWord | null): boolean =>
  word === BY_SENSE || (Array.isArray(word) && word.includes(BY_SENSE));

/** True when `word` keeps one state a host, with or without further parts. */
export const isByHost = (word: KeyWord | null): boolean =>
  word === BY_HOST || (Array.isArray(word) && word.includes(BY_HOST));

/** A key word for people: `host`, `host, disk`. */
export const shownKeyWord = (word: KeyWord): string => (typeof word === "string" ? word : word.join(", "));

const digestOf = (text: string): string => `${DIGEST}${sha256(text)}`;

/** The scalar at `path`. Undefined where the payload has none. */
function scalarAt(path: readonly string[], payload: Json): boolean | number | string | undefined {
  let value: Json | undefined = payload;
  for (const name of path) value = fieldOf(value, name);
  return value === undefined || value === null || typeof value === "object" ? undefined : value;
}

/** The key of one value: its JSON, so that `5` and `"5"` are two keys. A long text has a digest, which equals no JSON. */
export function keyOfValue(value: boolean | number | string): string {
  const text = JSON.stringify(value);
  return text.length <= MAX_LENGTH ? text : digestOf(text);
}

/** In a list the digest is a text like any other: a person who can choose that text can also choose the long text. */
function partOf(value: boolean | number | string | undefined): Json {
  if (value === undefined) return null;
  const key = keyOfValue(value);
  return key.startsWith(DIGEST) ? key : value;
}

/**
 * Reads the key of a payload of `sense`, a full name. Made once for each reflex, because every signal is read.
 */
export type KeyReader = (sense: string, payload: Json) => Key;

/** `here`: what `$host` stands for at a signal of this host. */
export function keyReaderOf(word: KeyWord | null, here: string | null): KeyReader {
  if (!isKeyed(word)) return () => ONLY;
  if (word === BY_SENSE) return (sense) => ({ key: keyOfValue(sense), isMissing: false });
  const hostOf = (sense: string): string => partsOfName(sense).origin ?? here ?? "";
  if (word === BY_HOST) return (sense) => ({ key: keyOfValue(hostOf(sense)), isMissing: false });
  if (typeof word === "string") {
    const path = word.split(".");
    return (_, payload) => {
      const value = scalarAt(path, payload);
      return value === undefined ? MISSING : { key: keyOfValue(value), isMissing: false };
    };
  }
  const parts = word.map((part) => {
    if (part === BY_SENSE) return (sense: string) => sense;
    if (part === BY_HOST) return hostOf;
    const path = part.split(".");
    return (_: string, payload: Json) => scalarAt(path, payload);
  });
  return (sense, payload) => {
    const values = parts.map((valueIn) => valueIn(sense, payload));
    return { key: JSON.stringify(values.map(partOf)), isMissing: values.includes(undefined) };
  };
}

export const keyOf = (word: KeyWord | null, sense: string, payload: Json, here: string | null = null): Key =>
  keyReaderOf(word, here)(sense, payload);

/** True when signals of `sense` lead to `key`, as far as the key names its sense or host. */
export function isKeyOfSense(word: KeyWord | null, key: string, sense: string, here: string | null): boolean {
  if (!isBySense(word) && !isByHost(word)) return true;
  const host = partsOfName(sense).origin ?? here;
  const holds = (part: string, value: Json | undefined): boolean =>
    part === BY_SENSE ? value === sense : part !== BY_HOST || value === host;
  const shown = shownKey(key);
  if (typeof word === "string") return holds(word, shown);
  return (word as readonly string[]).every((part, index) => holds(part, (shown as Json[])[index]));
}
