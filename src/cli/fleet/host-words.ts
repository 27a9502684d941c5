/** Owns what another host says of itself, in a few words. That host wrote it: nothing of it is taken for granted. */
import { counted } from "../../base/counted.ts";
import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import { oneLine } from "../../base/one-line.ts";

const SHOWN_SENSES = 5;
const MAX_TEXT = 100;

const fieldIn = (status: JsonObject, name: string, field: string): Json => {
  const inner = status[name];
  return (isJsonObject(inner) ? inner[field] : undefined) ?? null;
};

const isCount = (value: Json | undefined): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** A host leaves out senses that are well where one message does not hold them all. */
function sensesWords({ senses, left_out: leftOut }: JsonObject): string {
  if (!Array.isArray(senses)) return "it says nothing of its senses, of which there are too many";
  const unwell = senses.flatMap((sense) =>
    isJsonObject(sense) && sense.state !== "ok" ? [oneLine(String(sense.name), MAX_TEXT)] : [],
  );
  const many = senses.length + (isCount(leftOut) ? leftOut : 0);
  if (unwell.length === 0) return `${counted(many, "sense")}, all well`;
  const more = unwell.length > SHOWN_SENSES ? ` and ${unwell.length - SHOWN_SENSES} more` : "";
  return `not well: ${unwell.slice(0, SHOWN_SENSES).join(", ")}${more}`;
}

/** That host says why in its own status. */
function leavingWords(status: JsonObject): string[] {
  const out = fieldIn(status, "fleet", "out");
  const state = isJsonObject(out) ? out.state : null;
  return state === "blocked" || state === "offline" ? [`nothing leaves it (${state})`] : [];
}

export function hostWords(status: JsonObject): string {
  const store = fieldIn(status, "kernel", "store");
  const open = fieldIn(status, "incidents", "open");
  return [
    ...(typeof store === "string" && store !== "ok" ? [`begins nothing new (${oneLine(store, MAX_TEXT)})`] : []),
    ...leavingWords(status),
    ...(isCount(open) && open > 0 ? [`${counted(open, "incident")} open`] : []),
    sensesWords(status),
  ].join("; ");
}
