/** Owns `nerve resolve`: resolves an incident by hand. */
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import type { IncidentAnswer } from "../../control/contract.ts";
import { defineCommand, text } from "../frame/command.ts";
import { EXIT } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { incidentRequest } from "../place/incident-request.ts";
import { findPlace } from "../place/place.ts";
import { incidentTitle } from "../screen/incident-rows.ts";
import { print } from "../screen/terminal.ts";

export const command = defineCommand({
  details:
    "Everybody who was notified of the incident is notified of its resolution. While its key goes on matching, no new incident\nopens: the key must stop matching once before.",
  arguments: [{ name: "incident", required: true }],
  options: { why: text("TEXT", "the reason, for whoever looks at it later") },
  examples: [["nerve resolve 42 --why 'false alarm'", "incident 42 of `nerve incidents`"]],
  async run({ arguments: [word = ""], options, config, json }) {
    const request = incidentRequest(word, options.why);
    if (!request.ok) return request;
    const place = findPlace(config);
    if (!place.ok) return place;
    const answer = await ask<IncidentAnswer>(place.value, "/resolve", request.value);
    if (!answer.ok) return answer;
    const { incident, summary } = answer.value;
    print(json ? safeJson(answer.value) : `${incidentTitle({ id: incident, summary })} is resolved`);
    return ok(EXIT.done);
  },
});
