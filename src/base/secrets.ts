/**
 * Values that must not be shown, and what stands in their place. Finds a value as it is and in the forms in which errors
 * commonly quote it: percent-encoded, as JSON text, in Base64 (an `Authorization: Basic` header), a URL as its parser
 * writes it, and line by line.
 */
import { escapeForTerminal } from "./escape.ts";
import type { Json } from "./json.ts";
import { Needles } from "./needles.ts";

export interface Secret {
  /** What is shown instead: `${NAME}`. */
  readonly written: string;
  readonly value: string;
}

/** Shorter values are words and numbers that stand everywhere. */
export const SHORTEST_SECRET = 6;
/** A part of a value is only looked for when it is so long that nothing else looks like it. */
const SHORTEST_PART = 12;

interface Form {
  readonly text: string;
  /** Base64 has no borders between bytes: up to three characters on each side may belong to it. */
  readonly isBase64: boolean;
  readonly written: string;
}

export class Secrets {
  /** The longest first: one value may be a part of another. */
  #forms: readonly Form[] = [];
  /** Their texts: most of what is looked through holds none. */
  #needles = new Needles([]);
  readonly #known = new Set<string>();

  /** What was learned is never forgotten: a worker may still hold the value of an earlier config. */
  learn(secrets: Iterable<Secret>): void {
    const forms = [...this.#forms];
    for (const { written, value } of secrets) {
      const key = `${written}\0${value}`;
      if (value.length < SHORTEST_SECRET || this.#known.has(key)) continue;
      this.#known.add(key);
      forms.push(...formsOf(value).map((form) => ({ ...form, written })));
    }
    this.#forms = forms.sort((a, b) => b.text.length - a.text.length);
    this.#needles = new Needles(forms.map(({ text }) => text));
  }

  text(text: string): string {
    if (!this.isIn(text)) return text;
    let masked = text;
    for (const { text: form, isBase64, written } of this.#forms) {
      if (!masked.includes(form)) continue;
      masked = isBase64 ? masked.replace(around(form), () => written) : masked.replaceAll(form, () => written);
    }
    return masked;
  }

  /** Every text in it, keys too. The same object where there is nothing to mask. */
  json<T>(value: T): T {
    return this.#isWithin(value as Json) ? (this.#within(value as Json) as T) : value;
  }

  /** Whether there is something to mask. */
  isIn(text: string): boolean {
    return this.#needles.isIn(text);
  }

  /** JSON text; null is none. */
  jsonText(text: string | null): string | null {
    if (text === null || !this.isIn(text)) return text;
    return JSON.stringify(this.json(JSON.parse(text)));
  }

  #isWithin(value: Json): boolean {
    if (typeof value === "string") return this.isIn(value);
    if (typeof value !== "object" || value === null) return false;
    if (Array.isArray(value)) return value.some((item) => this.#isWithin(item));
    return Object.keys(value).some((key) => this.isIn(key) || this.#isWithin(value[key] as Json));
  }

  #within(value: Json): Json {
    if (typeof value === "string") return this.text(value);
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => this.#within(item));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.text(key), this.#within(item)]));
  }
}

const around = (form: string): RegExp =>
  new RegExp(`[A-Za-z0-9+/_-]{0,3}${form.replace(/[+]/g, "\\+")}[A-Za-z0-9+/_-]{0,3}={0,2}`, "g");

type Unnamed = Omit<Form, "written">;

function formsOf(value: string): Unnamed[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  const plain = [value, value.trim(), ...(lines.length > 1 ? lines.filter(isLong) : []), ...partsOfUrl(value)];
  const texts = plain.flatMap((text) => [text, ...encodingsOf(text)]);
  const known = new Set(texts.filter((text) => text.length >= SHORTEST_SECRET));
  return [
    ...[...known].map((text) => ({ text, isBase64: false })),
    ...[...new Set(base64Of(value))].filter((text) => !known.has(text)).map((text) => ({ text, isBase64: true })),
  ];
}

const isLong = (part: string): boolean => part.length >= SHORTEST_PART;

function encodingsOf(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const percent = [
    wellFormed(text, encodeURIComponent),
    wellFormed(text, encodeURI),
    formEncoded(text),
    ...inUrl(text),
  ];
  return [
    json,
    JSON.stringify(json).slice(1, -1),
    escapeForTerminal(text),
    ...(HOST_NAME.test(text) ? [text.toLowerCase()] : []),
    ...percent,
    ...percent.map((encoded) => encoded.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase())),
  ];
}

/** A URL's host is written in small letters. */
const HOST_NAME = /^[A-Za-z0-9.-]+$/;

/** Half a surrogate pair has no encoding. */
const wellFormed = (text: string, encode: (text: string) => string): string => encode(text.toWellFormed());

const formEncoded = (text: string): string => new URLSearchParams({ x: text }).toString().slice(2);

/** As the parts of a URL are written: each escapes other characters. */
function inUrl(text: string): string[] {
  const url = new URL("http://h/");
  url.username = text;
  url.pathname = text;
  url.search = text;
  url.hash = text;
  return [url.username, url.pathname.slice(1), url.search.slice(1), url.hash.slice(1)];
}

/** What of a URL is secret by itself: its path and query, and who is named in it. */
function partsOfUrl(value: string): string[] {
  const url = URL.parse(value.trim());
  if (url === null || url.host === "") return [];
  const named = [url.username, url.password].filter((part) => part.length >= SHORTEST_SECRET);
  const path = `${url.pathname}${url.search}`;
  const parts = [path, url.search.slice(1), url.hash.slice(1), ...url.searchParams.values()];
  return [url.href, url.href.replace(/\/$/, ""), ...named, ...named.map(decoded), ...parts.filter(isLong)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The characters that depend on the value alone, wherever it begins within three bytes. */
function base64Of(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const own = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
  });
}
