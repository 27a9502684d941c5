/** `backtest` of rules with incidents: how many would open and be reported, with what persons did beside them. */
import { expect, test } from "bun:test";
import { project, runNerve } from "../helpers/nerve.ts";
import { recordedIn } from "../helpers/recorded.ts";

const BEGIN = Date.now() - 3_600_000;
const configOf = (words: string, more = ""): string => `senses: { load: }
workflows: { page: { use: exec, with: { command: [/bin/true] } } }
reflexes:
  - { name: high, workflow: page, on: [load], when: { v: number > 5 }${words} }
${more}`;
const KEPT = ", incident: { resolve_after: 10s, remind_every: 60s }";

/** High for five minutes with a flap each ten seconds, and low from then on. */
function recorded(config: string) {
  const folder = project({ "nerve.yaml": config, "plain.yaml": configOf("") });
  const store = recordedIn(folder.path, BEGIN);
  store.log(0, "kernel", "kernel.started");
  for (let second = 1; second <= 360; second++) store.signal(second, { v: second < 300 && second % 10 !== 0 ? 9 : 1 });
  return { folder, store };
}

const rowOf = async (folder: { readonly path: string }, ...args: readonly string[]) =>
  JSON.parse((await runNerve(folder.path, ["backtest", "--json", ...args])).stdout.split("\n")[0] ?? "");

test("flaps are one incident, and its messages are its opening, its reminders and its resolution", async () => {
  const { folder, store } = recorded(configOf(KEPT));
  using _ = store;
  using __ = folder;
  expect(await rowOf(folder)).toMatchObject({ fired: 1, incidents: 1, messages: 7 });
  const text = await runNerve(folder.path, ["backtest", "--against", "plain.yaml"]);
  expect(text.stdout).toContain("high: 1 incident and 7 messages instead of 270");
});

test("what a person silenced, acknowledged or resolved counts, and so do the quiet hours of the config", async () => {
  const { folder, store } = recorded(configOf(KEPT));
  using _ = store;
  using __ = folder;
  store.log(1, "reflex:high", "incident.opened", {
    incident: 1,
    key: null,
    severity: "warning",
    summary: "",
    signal: 1,
  });
  store.log(70, "reflex:high", "incident.acked", { incident: 1, by: "ann", why: null });
  expect(await rowOf(folder)).toMatchObject({ incidents: 1, messages: 3 });
  store.log(0, "kernel", "reflex.silenced", { pattern: "high", until: BEGIN + 350_000, why: "work" });
  expect(await rowOf(folder)).toMatchObject({ incidents: 1, messages: 0 });
  folder.write("quiet.yaml", configOf(KEPT, 'quiet_hours: [{ from: "00:00", to: "24:00" }]\n'));
  expect(await rowOf(folder, "-c", "quiet.yaml")).toMatchObject({ incidents: 1, messages: 0 });
});
