/** The new entries of systemd's journal, each once, through restarts. A signal an entry, or one summary. */
import { notBetween } from "drizzle-orm";
import { type Compute, type SenseDatabase, type Series, signals, type Watch } from "nerve";
import { choice, duration, flag, type Infer, orNull, record, text, where, wordOrWords } from "nerve/options";
import { groupsIn, pattern } from "nerve/pattern";
import { declaration } from "nerve/payload";
import { lacking } from "nerve/sources";
import { Collected } from "./collected.ts";
import { parseEntry } from "./entry.ts";
import { commandOf, readJournal } from "./journalctl.ts";
import { cursors, samples } from "./schema.ts";

const PRIORITIES = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"] as const;
const isUnit = (name: string): boolean => /^[\w:.\\@*-]+$/.test(name);

export const options = record({
  // Names of units, with `*` for anything.
  unit: where(wordOrWords([]), (list) => list.every(isUnit), "be names of units, such as nginx or ssh.service"),
  // The least grave one.
  priority: orNull(choice(PRIORITIES, "err"), null),
  // Entries whose message does not match are counted.
  match: orNull(pattern()),
  summary: flag(false),
  // A journal file, in place of the host's journal.
  file: orNull(text()),
  from: choice(["end", "start"], "end"),
  keep: duration("7d", { min: "1m", max: "90d" }),
});

type Options = Infer<typeof options>;

const COUNT = "number.integer >= 0";

export const payload = declaration<Options>(({ match, summary }) =>
  summary
    ? { entries: COUNT, matched: COUNT, errors: COUNT, warnings: COUNT, first: "string | null", last: "string | null" }
    : {
        at: "number.integer",
        unit: "string | null",
        identifier: "string | null",
        priority: "0 <= number.integer <= 7",
        pid: `${COUNT} | null`,
        message: "string",
        cut: "boolean",
        fields: Object.fromEntries((match === null ? [] : groupsIn(match)).map((name) => [name, "string | null"])),
      },
);

export const series: Series = { table: "samples", at: "at", numbers: { entries: null, matched: null } };

export const watch: Watch<Options> = ({ file }) => (file === null ? { journal: true } : { file });

const NOTHING = "there is no journal of systemd here: there is nothing to see";

/** A folder without files is no fault to journalctl. */
const EMPTY = "the journal of systemd holds no entry yet: does systemd-journald run on this host?";

export const compute: Compute<Options> = async (db, _peers, { options: given, now, log, signal, more }) => {
  if (Bun.which("journalctl") === null) return lacking(db, log, NOTHING);
  const source = given.file ?? "";
  const known = db.select().from(cursors).get();
  const isFirst = known?.source !== source;
  const chosen = { file: given.file, units: given.unit, priority: given.priority };
  if (isFirst && given.from === "end") {
    let newest = "";
    const read = await readJournal(commandOf(chosen, null), signal, (line) => {
      newest = parseEntry(line)?.cursor ?? newest;
      return true;
    });
    if (read === "no journal") return lacking(db, log, NOTHING);
    keepCursor(db, source, newest);
    return newest === "" && given.file === null ? lacking(db, log, EMPTY) : null;
  }

  const collected = new Collected(given);
  const from = isFirst ? "" : known.cursor;
  const read = await readJournal(commandOf(chosen, from), signal, collected.take);
  if (read === "no journal") return lacking(db, log, NOTHING);
  keepCursor(db, source, collected.cursor ?? from);

  const { entries, matched } = collected;
  if (entries > 0 && collected.isFull) more();
  if (entries > 0) {
    const { id } = db.insert(samples).values({ at: now, entries, matched }).returning({ id: samples.id }).get();
    const outdated = notBetween(samples.at, now - given.keep, now + given.keep);
    if (id % 100 === 0) db.delete(samples).where(outdated).run();
  }
  if (!given.summary) return signals(collected.payloads);
  return matched === 0 ? null : collected.summary();
};

function keepCursor(db: SenseDatabase, source: string, cursor: string): void {
  db.delete(cursors).run();
  db.insert(cursors).values({ source, cursor }).run();
}
