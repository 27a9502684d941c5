/** Owns `nerve sql`: one query over everything that nerve keeps, read-only, in a process of its own. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseDuration } from "../../base/duration.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { senseDatabase } from "../../spawn/peer-files.ts";
import type { Format, Refusal, SenseFile } from "../../sql/messages.ts";
import { defineCommand, flag, type Input, text } from "../frame/command.ts";
import { EXIT, type Failure, fail, type Outcome, usageError } from "../frame/outcome.ts";
import { findPlace, type Place } from "../place/place.ts";
import { readStore, storeFailure } from "../place/store.ts";
import { answerIn } from "../sql/answer.ts";
import { QueryProcess } from "../sql/query-process.ts";

const TIMEOUT = "10s";
const DAYS = "7";
const MOST_DAYS = 36_500;

const OPTIONS = {
  timeout: text("DURATION", `the query is ended after this time; default ${TIMEOUT}`),
  days: text("N", `\`archive.logs\` holds the files of the last N days (UTC, today included); default ${DAYS}`),
  csv: flag("comma-separated values, the first line the names of the columns"),
} as const;

interface Limits {
  readonly limitMs: number;
  readonly days: number;
}

function parseLimits({ timeout, days }: Input<typeof OPTIONS>["options"]): Result<Limits, Failure> {
  const limitMs = parseDuration(timeout ?? TIMEOUT);
  if (limitMs === null || limitMs === 0) {
    return usageError(`\`--timeout ${timeout}\` is not a duration`, "write for instance `--timeout 30s`");
  }
  const count = /^\d{1,5}$/.test(days ?? DAYS) ? Number(days ?? DAYS) : 0;
  if (count < 1 || count > MOST_DAYS) {
    return usageError(`\`--days ${days}\` is not a number of days`, `write a whole number from 1 to ${MOST_DAYS}`);
  }
  return ok({ limitMs, days: count });
}

/** Senses of the configuration, and those that left a database. */
function sensesOf({ data, config }: Place): SenseFile[] {
  const left = namesIn(join(data, "senses")).flatMap((name) => (name.endsWith(".db") ? name.slice(0, -3) : []));
  const names = [...new Set([...(config?.senses.keys() ?? []), ...left])].sort();
  return names.map((sense) => ({ sense, file: senseDatabase(data, sense) }));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The problems of an answer that is not whole, or of none. */
function outcomeOf(place: Place, refusal: Refusal | null, cut: Problem | null): Outcome {
  const beside = cut === null ? [] : [cut];
  if (refusal === null) return cut === null ? ok(EXIT.done) : fail(EXIT.finding, cut);
  const { about, problem: found } = refusal;
  if (about === "query") return fail(EXIT.usage, found);
  if (about === "answer") return fail(EXIT.finding, ...beside, found);
  if (found.file?.startsWith(join(place.data, "senses")) === true) return fail(EXIT.finding, found);
  const ending = storeFailure(place, found);
  return err({ code: ending.error.code, problems: [...beside, ...ending.error.problems] });
}

export const command = defineCommand({
  details:
    "The tables are those of logs.db (signals, logs, workflow_runs, incidents …), those of a sense under its name\n(\"cpu-usage\".samples; at most nine senses a query), and archive.logs for logs that were moved to files. JSON columns are\nread with ->> : payload ->> 'usage_percent'. Times are milliseconds: datetime(at / 1000, 'unixepoch', 'localtime').\n\nThe query can only read. A process of its own runs it, and ends with the time or memory that the query may take: nerve\ngoes on as before. An answer that is not whole ends with exit code 1.",
  arguments: [{ name: "query", required: true }],
  options: OPTIONS,
  examples: [
    ["nerve sql 'SELECT sense, count(*) FROM signals GROUP BY sense'", "how many signals of each sense"],
    [
      `nerve sql 'SELECT * FROM "cpu-usage".samples ORDER BY rowid DESC LIMIT 5'`,
      "the newest rows of a sense's own table",
    ],
    [
      "nerve sql --csv --days 30 'SELECT id, message FROM archive.logs UNION ALL SELECT id, message FROM logs'",
      "every log of a month, for a spreadsheet",
    ],
  ],
  async run({ arguments: [sql = ""], options, config, json }) {
    const limits = parseLimits(options);
    if (!limits.ok) return limits;
    if (json && options.csv) return usageError("`--json` and `--csv` are two formats", "give one of them");
    const place = findPlace(config);
    if (!place.ok) return place;
    const opened = readStore(place.value);
    if (!opened.ok) return opened;
    opened.value.close();
    const format: Format = json ? "json" : options.csv ? "csv" : "table";
    const answer = answerIn(format);
    const query = new QueryProcess(
      {
        type: "query",
        sql,
        data: place.value.data,
        senses: sensesOf(place.value),
        format,
        days: limits.value.days,
        now: Date.now(),
        limitMs: limits.value.limitMs,
      },
      answer,
    );
    const { refusal, cut } = await query.ended;
    answer.finish();
    return outcomeOf(place.value, refusal, cut === null ? null : problem("archive-cut", cut, "a smaller --days"));
  },
});
