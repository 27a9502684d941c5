/** Owns the section `watchdog`: the address that is asked for while nerve commits. The address is shown nowhere. */
import type { WatchdogConfig } from "../model/config.ts";
import { webAddress } from "./channels.ts";
import { DEFAULT_WATCHDOG_MS } from "./defaults.ts";
import { type Reader, reader, readFields, schemaOf } from "./fields.ts";
import { duration } from "./quantities.ts";
import { child, isEmpty } from "./tree.ts";

const WATCHDOG = { url: webAddress, every: duration };

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
