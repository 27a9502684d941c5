/** Owns `nerve ack`: acknowledges an incident, so that nobody is reminded of the incident. */
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
    "Its reminders and escalations end; its resolution is reported all the same. An incident that matches again before\n`resolve_after` has passed stays acknowledged.",
  arguments: [{ name: "incident", required: true }],
  options: { why: text("TEXT", "the reason, for whoever looks at it later") },
  examples: [["nerve ack 42 --why 'disk is being replaced'", "incident 42 of `nerve incidents`"]],
  async run({ arguments: [word = ""], options, config, json }) {
    const request = incidentRequest(word, options.why);
    if (!request.ok) return request;
    const place = findPlace(config);
    if (!place.ok) return place;
    const answer = await ask<IncidentAnswer>(place.value, "/ack", request.value);
    if (!answer.ok) return answer;
    const { incident, summary, acked_by: by } = answer.value;
    const sentence = `${incidentTitle({ id: incident, summary })} is acknowledged${by === null ? "" : ` by ${by}`}`;
    print(json ? safeJson(answer.value) : sentence);
    return ok(EXIT.done);
  },
});
