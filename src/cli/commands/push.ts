/** Owns `nerve push`: hands items to the inbox of a sense. */
import { counted } from "../../base/counted.ts";
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import { readJson } from "../../base/json.ts";
import { ok, type Result } from "../../base/result.ts";
import { MAX_REQUEST_BYTES, MAX_REQUEST_ITEMS } from "../../inbox/given.ts";
import { checkedKey } from "../../inbox/request.ts";
import { defineCommand, text } from "../frame/command.ts";
import { EXIT, type Failure, fail, usageError } from "../frame/outcome.ts";
import { give } from "../place/ask.ts";
import { findPlace, type Place } from "../place/place.ts";
import { print } from "../screen/terminal.ts";

export const command = defineCommand({
  details:
    "An item is any JSON value up to 64 KiB. It is accepted once nerve has committed it, and the next compute of the sense\ntakes it. `-` reads an item a line from stdin. The same --key again within 24 hours is the same push: nothing is accepted\ntwice, and another item under it is refused. A push that is refused (the inbox is full, the disk is) ends with exit code 1.",
  arguments: [
    { name: "sense", required: true },
    { name: "item", required: true },
  ],
  options: { key: text("KEY", "what this push is called: given again, it is the same push") },
  examples: [
    [`nerve push deploys '{"version":"1.4.2"}'`, "one item"],
    [`nerve push deploys '{"version":"1.4.2"}' --key "$CI_JOB_ID"`, "one that a retry does not repeat"],
    ["jq -c '.[]' report.json | nerve push findings -", "an item a line"],
  ],
  async run({ arguments: [name = "", item = ""], options, config, json }) {
    const sense = name.replace(/^sense:/, "");
    const key = options.key === null ? ok(null) : checkedKey(options.key, "--key");
    if (!key.ok) return usageError(key.error.message, key.error.hint);
    const place = findPlace(config);
    if (!place.ok) return place;
    const pushed =
      item === "-"
        ? await pushLines(place.value, sense, key.value)
        : await pushOne(place.value, sense, item, key.value);
    if (!pushed.ok) return pushed;
    const { value: ids } = pushed;
    if (json) print(safeJson({ sense, accepted: ids.length, ids }));
    else print(`${counted(ids.length, "item")} accepted by ${escapeForTerminal(sense)}`);
    return ok(EXIT.done);
  },
});

type Pushed = Result<readonly number[], Failure>;

async function pushOne(place: Place, sense: string, item: string, key: string | null): Promise<Pushed> {
  const value = readJson(item);
  if (value === undefined) {
    return usageError("the item is not JSON", `as in '{"version":"1.4.2"}'; a text has quotes of its own: '"1.4.2"'`);
  }
  const answer = await give(place, sense, JSON.stringify(value), key);
  if (answer.ok) return ok(answer.value.ids);
  const { code, problems } = answer.error;
  return fail(
    code,
    ...problems.map((found) => ({ ...found, message: found.message.replace(/^line 1\b/, "the item") })),
  );
}

async function pushLines(place: Place, sense: string, key: string | null): Promise<Pushed> {
  const ids: number[] = [];
  let requests = 0;
  for await (const lines of requestsIn(Bun.stdin.stream())) {
    requests++;
    const text = lines.map((line) => line.text).join("\n");
    const answer = await give(place, sense, text, key === null || requests === 1 ? key : `${key}#${requests}`);
    if (!answer.ok) return refused(answer.error, lines, ids.length);
    ids.push(...answer.value.ids);
  }
  return requests === 0 ? usageError("stdin holds no item", "write a JSON value on each line") : ok(ids);
}

/** The kernel counts the lines of one request. */
function refused({ code, problems }: Failure, lines: readonly Line[], accepted: number): Pushed {
  const [first, ...others] = problems;
  if (first === undefined) return { ok: false, error: { code, problems } };
  const inStdin = first.message.replace(/^line (\d+)\b/, (said, n) => `line ${lines[Number(n) - 1]?.number ?? said}`);
  const message = accepted === 0 ? inStdin : `${inStdin}; ${counted(accepted, "item")} before that are accepted`;
  return fail(code, { ...first, message }, ...others);
}

interface Line {
  readonly text: string;
  /** In stdin, from 1. */
  readonly number: number;
}

/** The lines of a stream, as many together as one request may hold. A line that is too long is left to the kernel to refuse. */
async function* requestsIn(stream: ReadableStream<Uint8Array>): AsyncGenerator<readonly Line[]> {
  let lines: Line[] = [];
  let bytes = 0;
  let number = 0;
  for await (const text of linesOf(stream)) {
    number++;
    if (text.trim() === "") continue;
    const size = Buffer.byteLength(text) + 1;
    if (lines.length > 0 && (bytes + size > MAX_REQUEST_BYTES || lines.length === MAX_REQUEST_ITEMS)) {
      yield lines;
      lines = [];
      bytes = 0;
    }
    lines.push({ text, number });
    bytes += size;
  }
  if (lines.length > 0) yield lines;
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  yield rest;
}
