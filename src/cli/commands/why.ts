/** Owns `nerve why`: the newest thing that is wrong, or the one named, as one paragraph of causes. */
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { answerJson } from "../../causes/answer-json.ts";
import { answerTo } from "../../causes/asked.ts";
import { NEEDS_CONFIG } from "../../causes/named.ts";
import type { Scene } from "../../causes/scene.ts";
import type { Status } from "../../control/contract.ts";
import { isKernelRunning } from "../../store/kernel-lock.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT, fail } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { lifetimeOf } from "../place/elapsed.ts";
import { configOption, findPlace } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { warn } from "../screen/failure.ts";
import { print, stdoutScreen } from "../screen/terminal.ts";
import { renderAnswer } from "../stories/paragraph.ts";

export const command = defineCommand({
  details:
    "Without a word: the newest incident that is open, run that failed or sense that is not well; else since when nothing is\nwrong, and what was wrong last. The paragraph says what is so, since when, from which signal, who was told, and what was\nnot done and why not: silenced, in quiet hours, inhibited, throttled, waiting for `for`, dropped, not heard by anybody.\nA number is the run of that id, else the signal, else the incident; `incident:3` and `sense:NAME` leave no doubt.\nNeeds no daemon, and says so where none runs.",
  arguments: [{ name: "id or name", required: false }],
  options: {},
  examples: [
    ["nerve why", "what is wrong now, and who knows of it"],
    ["nerve why incident:3", "why it opened, and who was told"],
    ["nerve why run:41", "why it failed, and whether anybody heard of it"],
    ["nerve why page-on-critical", "why a reflex did not fire"],
    ["nerve why --json | jq -r '.not_done[].reason'", "what was not done, for another program"],
  ],
  async run({ arguments: [word = null], config: given, json }) {
    const place = findPlace(given);
    if (!place.ok) return place;
    const { data, config, file, problems } = place.value;
    const opened = readStore(place.value);
    if (!opened.ok) return opened;
    const store = opened.value;
    const status = await ask<Status>(place.value, "/status", null);
    const scene: Scene = {
      store,
      config,
      status: status.ok ? status.value : null,
      isRunning: status.ok || isKernelRunning(data),
      axis: lifetimeOf(store),
      now: Date.now(),
    };
    const found = answerTo(scene, word);
    if (!found.ok && found.error.kind === NEEDS_CONFIG) return fail(EXIT.badConfig, ...problems);
    if (!found.ok) return fail(EXIT.usage, found.error);
    const answer = found.value;
    const option = configOption(file, given);
    if (json) print(safeJson(answerJson(answer, option)));
    else print(renderAnswer(answer, option, stdoutScreen()));
    if (problems.length > 0) warn(`${file} has problems, so rules are not explained; see \`nerve check\``, json);
    return ok(EXIT.done);
  },
});
