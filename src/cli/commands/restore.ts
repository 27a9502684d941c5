/** Owns `nerve restore`: puts a backup into an empty data directory. */
import { resolve } from "node:path";
import { restoreBackup } from "../../backup/restore.ts";
import { safeJson } from "../../base/escape.ts";
import { localMoment } from "../../base/local-time.ts";
import { ok } from "../../base/result.ts";
import type { Problem } from "../../model/problem.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT, type ExitCode, fail } from "../frame/outcome.ts";
import { findPlace, startCommand } from "../place/place.ts";
import { print } from "../screen/terminal.ts";

const CODES: Readonly<Record<string, ExitCode>> = { "in-use": EXIT.inUse, "no-backup": EXIT.usage };

const codeOf = (problems: readonly Problem[]): ExitCode =>
  problems.map(({ kind }) => CODES[kind]).find((code) => code !== undefined) ?? EXIT.finding;

export const command = defineCommand({
  details:
    "The backup is proven first, as by `nerve backup --check`. `data` of the config must be empty or absent, and no daemon may\nuse it. What happened after the backup is not there: runs that were under way then go on from there, and may do again\nwhat they did since. Ids of signals and logs go on above those of the backup, and `meta.epoch` changes, so that no\nreader's cursor is taken for one of before. A restore that was killed is begun anew by the next one; no daemon starts\non half of one. The backup itself is not changed.",
  arguments: [{ name: "dir", required: true }],
  options: {},
  examples: [
    ["systemctl stop nerve && mv /var/lib/nerve /var/lib/nerve.before", "make room"],
    ["nerve restore /var/backups/nerve/2026-11-28", "put it back"],
  ],
  async run({ arguments: [dir = ""], config, json }) {
    const place = findPlace(config);
    if (!place.ok) return place;
    const from = resolve(dir);
    process.umask(0o077);
    const restored = await restoreBackup(from, place.value.data);
    if (!restored.ok) return fail(codeOf(restored.error), ...restored.error);
    const { at, last_signal, last_log } = restored.value;
    const { data } = place.value;
    if (json) print(safeJson({ directory: from, data, at, last_signal, last_log }));
    else
      print(
        `restored ${data} from ${from}, as of ${localMoment(at)}, signal ${last_signal} and log ${last_log}\nstart the daemon: ${startCommand(place.value)}`,
      );
    return ok(EXIT.done);
  },
});
