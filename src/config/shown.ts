/**
 * Owns the configuration as people may see it: as it stands in the files, `${NAME}` unfilled, without the addresses of
 * channels and without values of keys that are called like a secret.
 */
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { writtenJson } from "./fields.ts";
import type { MapTree } from "./tree.ts";

const HIDDEN = "…";
const SECRET_KEY =
  /token|secret|passw|passphrase|authoriz|api[-_]?key|private[-_]?key|credential|cookie|routing[-_]?key|^nkey$/i;
/** Nothing but the name of a variable or credential. */
const UNFILLED = /^\$\{[^}]*\}$/;

export function shownConfig(root: MapTree): JsonObject {
  const whole = writtenJson(root);
  if (!isJsonObject(whole)) return {};
  const { channels = null, otlp = null, ...rest } = whole;
  const shown = withoutSecrets(rest) as JsonObject;
  return {
    ...shown,
    ...(isJsonObject(otlp) ? { otlp: withoutHeaders(otlp) } : {}),
    ...(isJsonObject(channels) ? { channels: namesOnly(channels) } : {}),
  };
}

function withoutSecrets(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, SECRET_KEY.test(key) ? hidden(inner) : withoutSecrets(inner)]),
  );
}

/** A header may be a secret whatever its name. */
const withoutHeaders = ({ headers = null, ...rest }: JsonObject): JsonObject => ({
  ...(withoutSecrets(rest) as JsonObject),
  ...(headers === null ? {} : { headers: hidden(headers) }),
});

/** Of each channel its kind and the names of its keys. */
const namesOnly = (channels: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(channels).map(([name, channel]) => [name, hidden(channel)]));

function hidden(value: Json): Json {
  if (Array.isArray(value)) return value.map(hidden);
  if (isJsonObject(value)) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hidden(inner)]));
  return typeof value === "string" && UNFILLED.test(value) ? value : value === null ? null : HIDDEN;
}
