/** Owns the section `quiet_hours`: the times in which incidents that are not grave wait until morning. */
import type { QuietHours } from "../model/config.ts";
import { DAYS } from "../model/config.ts";
import { SEVERITIES } from "../model/incident.ts";
import { list, oneOf, type Reader, reader, readFields, schemaOf } from "./fields.ts";
import { readTz } from "./reflex-fields.ts";
import { child, found, isEmpty } from "./tree.ts";

const TIME = /^([01]?\d|2[0-3]):([0-5]\d)$|^24:00$/;

/** Minutes since midnight. */
const readTime: Reader<number> = reader({ type: "string", pattern: TIME.source }, (tree, label, report) => {
  const match = tree.kind === "scalar" ? TIME.exec(tree.text) : null;
  if (match) return match[1] === undefined ? 24 * 60 : Number(match[1]) * 60 + Number(match[2]);
  report.expected("bad-value", tree, label, 'a time of the day such as "22:00"', null);
  return null;
});

const DAY_LIST = list(oneOf(...DAYS), "a list of days such as [mon, tue]");

const readDays: Reader<readonly (typeof DAYS)[number][]> = reader(
  { ...DAY_LIST.schema, minItems: 1 },
  (tree, label, report) => {
    const days = DAY_LIST(tree, label, report);
    if (days?.length === 0) report.expected("bad-value", tree, label, "a list of at least one day", null);
    return days?.filter((day) => day !== null) ?? null;
  },
);

const QUIET = { below: oneOf(...SEVERITIES), from: readTime, to: readTime, tz: readTz, days: readDays };
const SCHEMA = { ...schemaOf(QUIET), required: ["from", "to"] };

const readOne: Reader<QuietHours> = reader(SCHEMA, (tree, label, report) => {
  const fields = readFields(tree, label, QUIET, report);
  if (!fields) return null;
  for (const key of ["from", "to"] as const) {
    if (fields.placeOf(key) === null)
      report.add("missing-key", tree.place, `\`${child(label, key)}\` is missing`, null);
  }
  const { below, from, to, tz, days } = fields.values;
  const [fromTree, toTree] = [fields.treeOf("from"), fields.treeOf("to")];
  if (fromTree && toTree && from !== null && from === to) {
    const what = `another time than \`from\` (${found(fromTree)})`;
    report.expected("conflict", toTree, child(label, "to"), what, 'write from: "00:00", to: "24:00" for the whole day');
  }
  const belowTree = fields.treeOf("below");
  if (belowTree && below === SEVERITIES[0]) {
    report.expected("bad-value", belowTree, child(label, "below"), "warning or critical", "nothing is below `info`");
  }
  if (from === null || to === null) return null;
  return { below: below ?? "critical", fromMinute: from, toMinute: to, tz, days };
});

const ALL = list(readOne, "a list of times");

export const readQuietHours: Reader<readonly QuietHours[]> = reader(
  { ...ALL.schema, type: ["array", "null"] },
  (tree, label, report) => (isEmpty(tree) ? [] : (ALL(tree, label, report)?.filter((one) => one !== null) ?? null)),
);
