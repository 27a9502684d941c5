/** Owns the reading of a text file that must be ours. The check is on the open file, so nobody can swap the file in between. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { dirname, resolve } from "node:path";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { inspect, inspectBeside, unsafe } from "./file-safety.ts";
import { MAX_FILE_BYTES } from "./yaml.ts";

export function readSafely(file: string): Result<string, Problem> {
  let descriptor: number;
  try {
    // Without O_NONBLOCK the open would wait on a named pipe.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    return err(openProblem(file, error));
  }
  try {
    const stats = fstatSync(descriptor);
    const found = fileProblem(file, stats);
    return found ? err(found) : decode(file, readAll(descriptor, stats.size));
  } catch (error) {
    return err(openProblem(file, error));
  } finally {
    closeSync(descriptor);
  }
}

function openProblem(file: string, error: unknown): Problem {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
  if (code === "ENOENT" || code === "ENOTDIR") {
    return problem("not-found", "there is no such file", "name another with -c FILE, or write one", file);
  }
  if (code === "EACCES" || code === "EPERM") {
    const uid = process.geteuid?.() ?? 0;
    return problem("unreadable", `uid ${uid} may not read this file`, `chown ${uid} ${resolve(file)}`, file);
  }
  return problem("unreadable", `the file cannot be read (${code})`, null, file);
}

function fileProblem(file: string, stats: Stats): Problem | null {
  if (stats.isDirectory()) {
    return problem(
      "not-a-file",
      "this is a folder",
      `name the file in it: ${file.replace(/\/*$/, "")}/nerve.yaml`,
      file,
    );
  }
  if (!stats.isFile()) return problem("not-a-file", "this is not a regular file", "copy it into one", file);
  const { offenders, end } = inspect(file);
  const [first, ...others] = offenders;
  // The check of a refused config covers the modules beside it too, so that one command mends everything.
  if (first !== undefined) {
    const all = [first, ...others, ...inspectBeside(file)] as const;
    return unsafe(file, all, { offenders: all, root: dirname(resolve(file)) });
  }
  if (!end.ok) return end.error;
  const now = end.value.stats;
  if (now.ino !== stats.ino || now.dev !== stats.dev) {
    return problem("changed", "the file was replaced while it was read", "try again", file);
  }
  if (stats.size <= MAX_FILE_BYTES) return null;
  return problem("too-large", `the file is larger than ${MAX_FILE_BYTES / 1024} KiB`, "split it with `include`", file);
}

/** Reads up to one byte more than expected: this byte shows that the file grew in the meantime. */
function readAll(descriptor: number, size: number): Buffer {
  const buffer = Buffer.alloc(Math.min(size, MAX_FILE_BYTES) + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (count === 0) break;
    length += count;
  }
  return buffer.subarray(0, length);
}

function decode(file: string, bytes: Buffer): Result<string, Problem> {
  try {
    return ok(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return err(problem("not-utf8", "the file is not UTF-8 text", "save it as UTF-8", file));
  }
}
