/** Owns the section `watchdog`: the address that is asked for while nerve commits. The address is shown nowhere. */
import type { WatchdogConfig } from "../model/config.ts";
import { webAddress } from "./channels.ts";
import { DEFAULT_WATCHDOG_MS } from "./defaults.ts";
import { type Reader, reader, readFields, schemaOf } from "./fields.ts";
import { duration } from "./quantities.ts";
import { child, isEmpty } from "./tree.ts";

const LEAST_MS = 1_000;

/** Each ping commits, and the server is mostly a stranger's. */
const every: Reader<number> = reader(duration.schema, (tree, label, report) => {
  const ms = duration(tree, label, report);
  if (ms === null || ms >= LEAST_MS) return ms;
  report.expected("bad-duration", tree, label, "at least 1s", null);
  return null;
});

const WATCHDOG = { url: webAddress, every };

export const readWatchdog: Reader<WatchdogConfig> = reader(
  { ...schemaOf(WATCHDOG), required: ["url"] },
  (tree, label, report) => {
    if (tree.kind === "scalar" && !isEmpty(tree)) {
      report.add("wrong-type", tree.place, `\`${label}\` must be a map with the key \`url\``, "write `{ url: … }`");
      return null;
    }
    const fields = readFields(tree, label, WATCHDOG, report);
    if (!fields) return null;
    const { url, every } = fields.values;
    if (fields.placeOf("url") === null) {
      report.add("missing-key", tree.place, `\`${child(label, "url")}\` is missing`, "write the address to ask for");
    }
    return url === null ? null : { url, everyMs: every ?? DEFAULT_WATCHDOG_MS };
  },
);
