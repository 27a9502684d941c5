/** A folder with a log, and a sense that follows it. */
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenSense, openSense } from "./compute.ts";

const made: string[] = [];

export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "nerve-tail-"));
  made.push(path);
  return path;
}

export function removeFolders(): void {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
}

/** The lines that one compute hands over. */
export async function read(sense: OpenSense): Promise<string[]> {
  const payloads: { line: string }[] = await sense.compute();
  return payloads.map(({ line }) => line);
}

/** A sense on `app.log` of a new folder, which has looked once. */
export async function following(options: Record<string, unknown> = {}, begin = "") {
  const place = folder();
  const file = join(place, "app.log");
  writeFileSync(file, begin);
  const sense = openSense("tail", { path: file, ...options });
  await sense.compute();
  return { place, file, sense };
}

/** As if nobody had written to the rotated files for a while. */
export function age(place: string): void {
  const then = Date.now() / 1000 - 10;
  for (const name of readdirSync(place)) if (name !== "app.log") utimesSync(join(place, name), then, then);
}

/** More than what a file has to have to be known again in a copy. */
export const LONG = Array.from({ length: 30 }, (_, index) => `begin ${index} ${"x".repeat(60)}`);
export const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");
