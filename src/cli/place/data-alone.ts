/** Owns the reading of the key `data` alone, out of a config that has problems elsewhere. */
import { dirname, resolve } from "node:path";
import { parseDocument } from "yaml";
import { DEFAULT_DATA } from "../../config/defaults.ts";
import { readSafely } from "../../config/safe-read.ts";
import { fillVariables } from "../../config/variables.ts";

const parseYaml = (text: string) => parseDocument(text, { logLevel: "silent", uniqueKeys: false });

/** The `data` of a file with problems elsewhere; null when `data` cannot be read. */
export function dataAlone(file: string): string | null {
  const text = readSafely(file);
  if (!text.ok) return null;
  const whole = parseYaml(text.value);
  // A syntax error may swallow the lines below it. A line that begins with `data:` still belongs to the file.
  const document = whole.errors.length === 0 ? whole : parseYaml(/^data[ \t]*:.*$/m.exec(text.value)?.[0] ?? "");
  if (document.errors.length > 0) return null;
  const data = document.get("data") ?? DEFAULT_DATA;
  if (typeof data !== "string") return null;
  const filled = fillVariables(data, { environment: process.env, credential: () => null, standIn: null });
  return filled.faults.length > 0 ? null : resolve(dirname(file), filled.text);
}
