// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are what stands in a value's place
import { describe, expect, test } from "bun:test";
import { Secrets } from "../../../src/base/secrets.ts";
import { maskedLogger, maskedStore } from "../../../src/kernel/commits/masked.ts";
import { openStore } from "../../../src/store/open.ts";
import { temporaryFolder } from "../../helpers/folder.ts";

const secrets = new Secrets();
secrets.learn([{ written: "${TOKEN}", value: "hunter22" }]);

const LOG = { at: 1, level: "info", source: "workflow:w", run: 1, trace: null } as const;

describe("on the way into the store", () => {
  const written = (event: string, message: string, data: object | null): { message: string; data: string | null } => {
    using folder = temporaryFolder();
    const opened = openStore(folder.path, "normal", "boot", 1);
    if (!opened.ok) throw new Error(opened.error.message);
    const store = maskedStore(opened.value, secrets);
    store.commit(() => store.logs.append({ ...LOG, event, message, data: data && JSON.stringify(data) }));
    const [row] = store.logs.list({
      after: 0,
      before: null,
      sources: [],
      since: null,
      until: null,
      trace: null,
      level: null,
      limit: 1,
      newest: false,
    });
    store.close();
    return row as { message: string; data: string | null };
  };

  test("messages and data of a log are masked", () => {
    expect(written("log", "the hunter22", { a: ["hunter22"] })).toMatchObject({
      message: "the ${TOKEN}",
      data: '{"a":["${TOKEN}"]}',
    });
  });

  test("what a replay takes up again stays as it is, and what is said of a failure does not", () => {
    const data = { step: "ask hunter22", result: "hunter22", error: "no hunter22", stack: "at hunter22" };
    expect(JSON.parse(written("step.failed", "", data).data ?? "")).toEqual({
      step: "ask hunter22",
      result: "hunter22",
      error: "no ${TOKEN}",
      stack: "at ${TOKEN}",
    });
  });
});

test("on the way to stderr messages and data are masked", () => {
  const lines: object[] = [];
  const logger = maskedLogger({ write: (line) => lines.push(line) }, secrets);
  logger.write({ at: 1, level: "info", source: "kernel", event: "log", message: "hunter22", data: { hunter22: 1 } });
  expect(lines).toEqual([
    { at: 1, level: "info", source: "kernel", event: "log", message: "${TOKEN}", data: { "${TOKEN}": 1 } },
  ]);
});
