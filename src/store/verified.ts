/**
 * Owns `data/verified.json`: what the newest `nerve archive verify` and the newest comparison of tables with logs have found, for
 * whoever looks at the store. A memory of people's looks and no part of the store: where the file cannot be written, nothing is lost.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { isJsonObject, type Json, readJson } from "../base/json.ts";
import { storeFile } from "./tables.ts";

export interface SoundnessFinding {
  /** Unix milliseconds. */
  readonly at: number;
  readonly state: "ok" | "damaged";
  readonly message: string;
}

/** `archive`: the files of old logs. `tables`: those of runs and incidents, against the logs. */
export type SoundnessPart = "archive" | "tables";

/** Null: nobody has looked, or not at this store. */
export type KnownSoundness = Readonly<Record<SoundnessPart, SoundnessFinding | null>>;

const NOTHING: KnownSoundness = { archive: null, tables: null };
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
const MOST_CHARACTERS = 500;
const MOST_BYTES = 16_384;

const fileOf = (data: string): string => join(data, "verified.json");

/** Tells this store from one that was put in its place. */
const markOf = (data: string): string => {
  const { dev, ino, birthtimeMs } = statSync(storeFile(data));
  return `${dev}.${ino}.${birthtimeMs}`;
};

function findingIn(value: Json | undefined): SoundnessFinding | null {
  if (!isJsonObject(value)) return null;
  const { at, state, message } = value;
  if (typeof at !== "number" || typeof message !== "string" || (state !== "ok" && state !== "damaged")) return null;
  return { at, state, message: message.slice(0, MOST_CHARACTERS) };
}

function textOf(file: string): string {
  const descriptor = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    return stats.isFile() && stats.size <= MOST_BYTES ? readFileSync(descriptor, "utf8") : "";
  } finally {
    closeSync(descriptor);
  }
}

/** What is known of the store in `data`; a file that is missing, foreign or damaged says nothing. */
export function readVerified(data: string): KnownSoundness {
  try {
    const found = readJson(textOf(fileOf(data))) ?? null;
    if (!isJsonObject(found) || found.store !== markOf(data)) return NOTHING;
    return { archive: findingIn(found.archive), tables: findingIn(found.tables) };
  } catch {
    return NOTHING;
  }
}

export function keepVerified(data: string, part: SoundnessPart, finding: SoundnessFinding): void {
  const making = `${fileOf(data)}.${process.pid}`;
  try {
    const message = finding.message.slice(0, MOST_CHARACTERS);
    const text = JSON.stringify({ store: markOf(data), ...readVerified(data), [part]: { ...finding, message } });
    const descriptor = openSync(making, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      writeSync(descriptor, `${text}\n`);
    } finally {
      closeSync(descriptor);
    }
    renameSync(making, fileOf(data));
  } catch {
    // Another user's folder, or a full disk: who looked has the answer on the screen.
    try {
      unlinkSync(making);
    } catch {
      // It was not made.
    }
  }
}
