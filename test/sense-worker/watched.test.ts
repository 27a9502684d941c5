/** What a module may export as `watch`, and what is said of the rest. */
import { expect, test } from "bun:test";
import { watchedBy } from "../../src/sense-worker/watched.ts";

const SOURCE = { name: "mine", use: "mine", folder: "/n/senses/mine", options: {} };
const of = (exported: unknown) => watchedBy(SOURCE, exported, { path: "/x" });

const bare = (kind: "kernel" | "journal" | "inbox") => ({ kind, path: null, match: null });

test("nothing, or one of what can be watched, or a list", () => {
  expect(of(undefined)).toEqual({ ok: true, value: [] });
  expect(of(() => ({ kernel: true }))).toEqual({ ok: true, value: [bare("kernel")] });
  expect(of(() => [{ journal: true }, { inbox: true }])).toEqual({ ok: true, value: [bare("journal"), bare("inbox")] });
  expect(of(() => [])).toEqual({ ok: true, value: [] });
});

test("a path is relative to the folder of the configuration, where the worker runs", () => {
  const here = process.cwd();
  expect(of(() => [{ file: "logs/a.log" }, { file: "/x/../y" }, { dir: "." }, { dir: "/z/", match: "*.log" }])).toEqual(
    {
      ok: true,
      value: [
        { kind: "file", path: `${here}/logs/a.log`, match: null },
        { kind: "file", path: "/y", match: null },
        { kind: "dir", path: here, match: "*" },
        { kind: "dir", path: "/z", match: "*.log" },
      ],
    },
  );
});

test("the function gets the options of the sense", () => {
  let given: unknown;
  of((options: unknown) => {
    given = options;
    return { kernel: true };
  });
  expect(given).toEqual({ path: "/x" });
});

const ANSWERS =
  "`{ file }`, `{ dir, match }`, `{ journal: true }`, `{ inbox: true }` or `{ kernel: true }`, or a list of them";

test.each([
  [{ kernel: true }, "bad-export", "sense `mine` exports `watch`, which must be a function and is of type object"],
  [
    () => {
      throw new Error("no");
    },
    "bad-export",
    "sense `mine` exports `watch`, which throws: Error: no",
  ],
  [() => null, "bad-export", `sense \`mine\` exports \`watch\`, which must answer ${ANSWERS}`],
  [async () => ({ kernel: true }), "bad-export", `sense \`mine\` exports \`watch\`, which must answer ${ANSWERS}`],
  [
    () => ({ flie: "/x" }),
    "bad-export",
    `sense \`mine\` exports \`watch\`, which answers \`flie\` (did you mean \`file\`?), which must answer ${ANSWERS}`,
  ],
  [() => ({ file: "/x", dir: "/y" }), "bad-export", `sense \`mine\` exports \`watch\`, which must answer ${ANSWERS}`],
  [() => [{ file: 7 }], "bad-export", "sense `mine` exports `watch`, which answers `file`: write a path"],
  [
    () => ({ journal: "sshd" }),
    "bad-export",
    "sense `mine` exports `watch`, which answers `journal`: write `journal: true`",
  ],
  [
    () => ({ dir: "/x", match: 1 }),
    "bad-export",
    'sense `mine` exports `watch`, which answers `match`: write a pattern such as "*.log"',
  ],
])("anything else is refused by name: %#", (exported, kind, message) => {
  expect(of(exported)).toMatchObject({ ok: false, error: { kind, message, file: "/n/senses/mine/index.ts" } });
});
