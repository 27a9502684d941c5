/** Owns `nerve push`: hands items to the inbox of a sense. */
import { counted } from "../../base/counted.ts";
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import { readJson } from "../../base/json.ts";
import { ok, type Result } from "../../base/result.ts";
import { MAX_REQUEST_BYTES, MAX_REQUEST_ITEMS } from "../../inbox/given.ts";
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
    const place = findPlace(config);
    if (!place.ok) return place;
    const pushed =
      item === "-"
        ? await pushLines(place.value, sense, options.key)
        : await pushOne(place.value, sense, item, options.key);
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
  return answer.ok ? ok(answer.value.ids) : answer;
}

async function pushLines(place: Place, sense: string, key: string | null): Promise<Pushed> {
  const ids: number[] = [];
  let requests = 0;
  for await (const lines of requestsIn(Bun.stdin.stream())) {
    requests++;
    const answer = await give(place, sense, lines, key === null || requests === 1 ? key : `${key}#${requests}`);
    if (!answer.ok) return ids.length === 0 ? answer : afterSome(answer.error, ids.length);
    ids.push(...answer.value.ids);
  }
  return requests === 0 ? usageError("stdin holds no item", "write a JSON value on each line") : ok(ids);
}

function afterSome({ code, problems }: Failure, accepted: number): Pushed {
  const [first, ...others] = problems;
  if (first === undefined) return { ok: false, error: { code, problems } };
  const message = `${first.message}; ${counted(accepted, "item")} before that are accepted`;
  return fail(code, { ...first, message }, ...others);
}

/** The lines of a stream, as many together as one request may hold. A line that is too long is left to the kernel to refuse. */
async function* requestsIn(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let lines: string[] = [];
  let bytes = 0;
  for await (const line of linesOf(stream)) {
    if (line.trim() === "") continue;
    const size = Buffer.byteLength(line) + 1;
    if (lines.length > 0 && (bytes + size > MAX_REQUEST_BYTES || lines.length === MAX_REQUEST_ITEMS)) {
      yield lines.join("\n");
      lines = [];
      bytes = 0;
    }
    lines.push(line);
    bytes += size;
  }
  if (lines.length > 0) yield lines.join("\n");
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
