/** Owns `nerve fleet status`: every host that was heard of, from the store; with `--live` also what each says of itself. */
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import { meantOr } from "../../base/nearest.ts";
import { ok } from "../../base/result.ts";
import { ago } from "../../base/times.ts";
import type { Origin } from "../../model/origin.ts";
import { EXIT, type Outcome, usageError } from "../frame/outcome.ts";
import { findPlace } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { remark } from "../screen/failure.ts";
import { type Column, renderTable } from "../screen/table.ts";
import { print, span, stdoutScreen } from "../screen/terminal.ts";

const right = (title: string, rank: number, cell: (origin: Origin) => string): Column<Origin> => ({
  title,
  align: "right",
  rank,
  cell: (origin) => span(cell(origin)),
});

const columnsAt = (now: number): readonly Column<Origin>[] => [
  { title: "HOST", align: "left", rank: 0, cell: ({ host }) => span(host) },
  { title: "STATE", align: "left", rank: 0, cell: ({ state }) => span(state) },
  right("LAST", 1, ({ at }) => (at === 0 ? "never" : ago(at, now))),
  right("SIGNALS", 2, ({ signals }) => String(signals)),
  right("MISSING", 1, ({ missing }) => String(missing)),
  right("LATE", 3, ({ late }) => String(late)),
];

export async function status(
  hosts: readonly string[],
  _live: boolean,
  given: string | null,
  json: boolean,
): Promise<Outcome> {
  const place = findPlace(given);
  if (!place.ok) return place;
  const opened = readStore(place.value);
  if (!opened.ok) return opened;
  const known = opened.value.origins.all();
  const unknown = hosts.find((name) => !known.some(({ host }) => host === name));
  if (unknown !== undefined) {
    const names = known.map(({ host }) => host);
    return usageError(
      `nothing was ever heard of \`${escapeForTerminal(unknown)}\``,
      meantOr(unknown, names, "`nerve fleet status` lists who was"),
    );
  }
  const origins = known.filter(({ host }) => hosts.length === 0 || hosts.includes(host));
  if (json) for (const origin of origins) print(safeJson(origin));
  else if (origins.length > 0) print(renderTable(columnsAt(Date.now()), origins, stdoutScreen()).join("\n"));
  else remark("no host was heard of");
  return ok(EXIT.done);
}
