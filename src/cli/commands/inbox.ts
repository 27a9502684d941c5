/** Owns `nerve inbox`: what waits for a sense, and what is dead; tries dead items again, and gives items up. */
import { counted } from "../../base/counted.ts";
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import { parseStored } from "../../base/json.ts";
import { ok, type Result } from "../../base/result.ts";
import { ago } from "../../base/times.ts";
import type { ItemsAnswer } from "../../control/contract.ts";
import type { Item } from "../../model/item.ts";
import { problem } from "../../model/problem.ts";
import { defineCommand, flag, text } from "../frame/command.ts";
import { EXIT, type Failure, fail, type Outcome, usageError } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { findPlace, type Place } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { remark } from "../screen/failure.ts";
import { type Column, renderTable } from "../screen/table.ts";
import { print, span, stdoutScreen } from "../screen/terminal.ts";

const ACTS = ["show", "retry", "drop"] as const;
type Act = (typeof ACTS)[number];

/** Ids of one request. */
const MOST_IDS = 1_000;
const SHOWN = 20;

export const command = defineCommand({
  details:
    "Without an action it lists the oldest items, of one sense or of all, also while no daemon runs. An item is dead after\ncomputes with it alone have failed and another item was taken. `retry` has dead items wait again, in their old place;\n`drop` gives items up for good. Both do all of the ids or none.",
  arguments: [
    { name: "sense, or show, retry, drop", required: false },
    { name: "id…", required: false },
  ],
  options: {
    dead: flag("only what is dead"),
    limit: text("N", `at most N of the oldest (default ${SHOWN})`, "n"),
  },
  examples: [
    ["nerve inbox", "what waits, and what is dead"],
    ["nerve inbox deploys --dead --json", "of one sense, for another program"],
    ["nerve inbox show 17", "one item, whole"],
    ["nerve inbox retry 17 18", "the sense is mended: try them again"],
    ["nerve inbox drop 17", "it is of no use"],
  ],
  async run({ arguments: [first = null, ...words], options, config, json }) {
    const place = findPlace(config);
    if (!place.ok) return place;
    const act = ACTS.find((one) => one === first);
    if (act === undefined) {
      if (words.length > 0)
        return usageError(`\`${words[0]}\` is one word too many`, "`nerve inbox retry ID…` takes ids");
      const limit = limitOf(options.limit);
      if (!limit.ok) return limit;
      return list(
        place.value,
        { sense: first?.replace(/^sense:/, "") ?? null, isDead: options.dead, limit: limit.value },
        json,
      );
    }
    if (options.dead || options.limit !== null)
      return usageError(`\`${act}\` takes neither \`--dead\` nor \`--limit\``);
    const ids = idsOf(act, words);
    if (!ids.ok) return ids;
    return act === "show" ? show(place.value, ids.value, json) : change(place.value, act, ids.value, json);
  },
});

function limitOf(written: string | null): Result<number, Failure> {
  if (written === null) return ok(SHOWN);
  return /^[1-9]\d{0,8}$/.test(written) ? ok(Number(written)) : usageError("`--limit` takes a number from 1 on");
}

function idsOf(act: Act, words: readonly string[]): Result<readonly number[], Failure> {
  const wrong = words.find((word) => !/^(?:item:)?[1-9]\d{0,14}$/.test(word));
  if (wrong !== undefined) return usageError(`\`${wrong}\` is not the id of an item`, "`nerve inbox` shows ids");
  if (words.length === 0)
    return usageError("which items?", `as in \`nerve inbox ${act} 17\`; \`nerve inbox\` shows ids`);
  if (words.length > MOST_IDS) return usageError(`at most ${MOST_IDS} items at once`);
  return ok(words.map((word) => Number(word.replace("item:", ""))));
}

interface Asked {
  readonly sense: string | null;
  readonly isDead: boolean;
  readonly limit: number;
}

function list(place: Place, { sense, isDead, limit }: Asked, json: boolean): Outcome {
  const items = read(place, (all) => all(sense).filter(({ state }) => !isDead || state === "dead"));
  if (!items.ok) return items;
  const shown = items.value.slice(0, limit);
  if (json) for (const item of shown) print(safeJson(shownItem(item)));
  else if (shown.length > 0) print(renderTable(columns(Date.now()), shown, stdoutScreen()).join("\n"));
  else if (place.config !== null && sense !== null && !place.config.senses.has(sense)) {
    return fail(EXIT.usage, problem("unknown-sense", `there is no sense \`${sense}\``, "`nerve status` lists them"));
  } else remark(isDead ? "nothing is dead" : "nothing waits");
  const more = items.value.length - shown.length;
  if (more > 0 && !json) remark(`${counted(more, "item")} more; --limit shows them`);
  return ok(EXIT.done);
}

function show(place: Place, ids: readonly number[], json: boolean): Outcome {
  const items = read(place, (all) => all(null).filter(({ id }) => ids.includes(id)));
  if (!items.ok) return items;
  const lost = ids.find((id) => !items.value.some((item) => item.id === id));
  if (lost !== undefined) {
    const hint = "it was taken, or dropped; `nerve inbox` lists what there is";
    return fail(EXIT.usage, problem("unknown-item", `there is no item ${lost} in an inbox`, hint));
  }
  for (const item of items.value) {
    if (json) print(safeJson(shownItem(item)));
    else {
      const { id, sense, state, at, key, type, failures, trace, body } = item;
      const about = [
        `item ${id} of ${escapeForTerminal(sense)}, ${state}, accepted ${ago(at, Date.now())}`,
        ...(key === null ? [] : [`key ${escapeForTerminal(key)}`]),
        ...(type === null ? [] : [`type ${escapeForTerminal(type)}`]),
        ...(failures === 0 ? [] : [`${counted(failures, "compute")} with it alone failed`]),
        `trace ${trace}`,
      ];
      print(
        `${about.join("\n")}\n${JSON.stringify(parseStored(body), null, 2).split("\n").map(escapeForTerminal).join("\n")}`,
      );
    }
  }
  return ok(EXIT.done);
}

async function change(place: Place, act: "retry" | "drop", ids: readonly number[], json: boolean): Promise<Outcome> {
  const answer = await ask<ItemsAnswer>(place, `/${act}-items`, { items: ids });
  if (!answer.ok) return answer;
  const { items } = answer.value;
  const done =
    act === "retry"
      ? items.length === 1
        ? "waits again"
        : "wait again"
      : items.length === 1
        ? "is dropped"
        : "are dropped";
  print(json ? safeJson(answer.value) : `${counted(items.length, "item")} ${done}`);
  return ok(EXIT.done);
}

function read(
  place: Place,
  of: (all: (sense: string | null) => Item[]) => readonly Item[],
): Result<readonly Item[], Failure> {
  const opened = readStore(place);
  if (!opened.ok) return opened;
  const { inbox } = opened.value;
  const items = of((sense) => inbox.list(sense));
  opened.value.close();
  return ok(items);
}

const shownItem = (item: Item) => ({ ...item, body: parseStored(item.body) });

const cell = (title: string, rank: number, of: (item: Item) => string): Column<Item> => ({
  title,
  align: "left",
  rank,
  cell: (item) => span(escapeForTerminal(of(item)), item.state === "dead" && title === "STATE" ? "red" : null),
});

const SHOWN_CHARS = 60;
const cut = (text: string): string => (text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS - 1)}…` : text);

const columns = (now: number): readonly Column<Item>[] => [
  { title: "ITEM", align: "right", rank: 0, cell: ({ id }) => span(String(id)) },
  cell("SENSE", 0, ({ sense }) => sense),
  cell("STATE", 0, ({ state }) => state),
  cell("SINCE", 1, ({ at }) => ago(at, now)),
  cell("FAILED", 2, ({ failures }) => (failures === 0 ? "–" : String(failures))),
  cell("KEY", 3, ({ key }) => cut(key ?? "–")),
  cell("TYPE", 4, ({ type }) => cut(type ?? "–")),
  cell("BODY", 0, ({ body }) => cut(body)),
];
