/**
 * Owns the configuration as people may see it: as it stands in the files, `${NAME}` unfilled, without the addresses of
 * channels and the watchdog, and without values of keys that are called like a secret.
 */
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { writtenJson } from "./fields.ts";
import type { MapTree } from "./tree.ts";

const HIDDEN = "…";
const SECRET_KEY =
  /token|secret|passw|passphrase|authoriz|api[-_]?key|private[-_]?key|credential|cookie|routing[-_]?key|^nkey$/i;
/** Nothing but the name of a variable or credential. */
const UNFILLED = /^\$\{[^}]*\}$/;

/** Keys of a section that are secret whatever they are called: a header, the address that says that this host lives. */
const SECRET_IN: ReadonlyMap<string, string> = new Map([
  ["otlp", "headers"],
  ["watchdog", "url"],
]);

export function shownConfig(root: MapTree): JsonObject {
  const whole = writtenJson(root);
  if (!isJsonObject(whole)) return {};
  return Object.fromEntries(Object.entries(whole).map(([name, section]) => [name, shownSection(name, section)]));
}

function shownSection(name: string, section: Json): Json {
  if (name === "channels") return isJsonObject(section) ? namesOnly(section) : null;
  const shown = withoutSecrets(section);
  const secret = SECRET_IN.get(name);
  if (secret === undefined || !isJsonObject(shown) || !isJsonObject(section) || !(secret in shown)) return shown;
  return { ...shown, [secret]: hidden(section[secret] ?? null) };
}

function withoutSecrets(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, SECRET_KEY.test(key) ? hidden(inner) : withoutSecrets(inner)]),
  );
}

/** Of each channel its kind and the names of its keys. */
const namesOnly = (channels: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(channels).map(([name, channel]) => [name, hidden(channel)]));

function hidden(value: Json): Json {
  if (Array.isArray(value)) return value.map(hidden);
  if (isJsonObject(value)) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hidden(inner)]));
  return typeof value === "string" && UNFILLED.test(value) ? value : value === null ? null : HIDDEN;
}
