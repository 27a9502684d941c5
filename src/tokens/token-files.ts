/**
 * Owns the files of `data/tokens/`: one token each, which opens what the file is called. Made by the kernel, read by the web
 * process and by verbs of the same user, renewed by `nerve token NAME --renew`.
 */

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { randomBytes } from "../base/chance.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";

/** What each token opens: everything of the page and of the API, or `/metrics` alone. */
export const TOKEN_NAMES = ["page", "metrics"] as const;
export type TokenName = (typeof TOKEN_NAMES)[number];

/** The file of the token that opens the inbox of a sense. */
export const senseToken = (sense: string): string => `sense:${sense}`;

export const tokensFolder = (data: string): string => join(data, "tokens");
const fileOf = (data: string, name: string): string => join(tokensFolder(data), name);

const BYTES = 32;
/** 32 bytes in the letters of Base64 for URLs. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

const unusable = (file: string, what: string): Problem =>
  problem("token-unusable", `${file} ${what}`, "remove it: `nerve token NAME --renew` makes it anew", file);

/** The file may be as good as ever: the user who asks is the wrong one. */
const closed = (file: string, how: string, why: string): Problem =>
  problem("token-permission", `${file} cannot be ${how}: ${why}`, "run nerve as the user it belongs to", file);

/** The token called `name`. Null where there is none yet. */
export function readToken(data: string, name: string): Result<string | null, Problem> {
  const file = fileOf(data, name);
  let descriptor: number;
  try {
    descriptor = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return ok(null);
    if (code === "EACCES") return err(closed(file, "opened", message));
    return err(unusable(file, code === "ELOOP" ? "is a symbolic link" : `cannot be opened: ${message}`));
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return err(unusable(file, "is not a plain file"));
    if (stats.uid !== process.geteuid?.()) return err(unusable(file, `belongs to uid ${stats.uid}`));
    if ((stats.mode & 0o077) !== 0) fchmodSync(descriptor, 0o600);
    const token = readFileSync(descriptor, "utf8").trim();
    return TOKEN.test(token) ? ok(token) : err(unusable(file, "holds no token of nerve's"));
  } catch (error) {
    return err(unusable(file, `cannot be read: ${(error as Error).message}`));
  } finally {
    closeSync(descriptor);
  }
}

/** A new token in the place of the old one, whole or not at all. */
export function renewToken(data: string, name: string): Result<string, Problem> {
  const file = fileOf(data, name);
  const token = randomBytes(BYTES).toString("base64url");
  const draft = `${file}.${process.pid}.new`;
  try {
    makeFolder(data);
    const descriptor = openSync(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      writeSync(descriptor, `${token}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, file);
    return ok(token);
  } catch (error) {
    try {
      unlinkSync(draft);
    } catch {
      // It was not made.
    }
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EACCES") return err(closed(file, "written", message));
    return err(problem("token-unwritten", `${file} cannot be written: ${message}`, null, file));
  }
}

function makeFolder(data: string): void {
  const folder = tokensFolder(data);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stats = lstatSync(folder);
  if (!stats.isDirectory()) throw new Error(`${folder} is not a folder`);
}

/** The token called `name`, made where there is none. One that cannot be used is left as it is. */
export function tokenOf(data: string, name: string): Result<string, Problem> {
  const found = readToken(data, name);
  if (!found.ok) return found;
  return found.value === null ? renewToken(data, name) : ok(found.value);
}

/** Knows the present token, and reads its file again only when it is another file. */
export class TokenWatch {
  readonly #data: string;
  readonly #name: string;
  #print = "";
  #token: string | null = null;

  constructor(data: string, name: string) {
    this.#data = data;
    this.#name = name;
  }

  /** Null where there is none that can be used: then nothing opens. */
  get present(): string | null {
    const stats = lstatSync(fileOf(this.#data, this.#name), { throwIfNoEntry: false });
    const print = stats === undefined ? "" : [stats.dev, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join();
    if (print === this.#print && print !== "") return this.#token;
    const found = readToken(this.#data, this.#name);
    this.#token = found.ok ? found.value : null;
    this.#print = print;
    return this.#token;
  }
}
