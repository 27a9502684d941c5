/** Owns `nerve unit`: the systemd unit for this executable and this config. */

import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { defineCommand, text } from "../frame/command.ts";
import { EXIT, usageError } from "../frame/outcome.ts";
import { print } from "../screen/terminal.ts";
import { readAsked } from "../unit/asked.ts";
import { openingsOf } from "../unit/openings.ts";
import { placesOf } from "../unit/places.ts";
import { systemdUnit, unfit } from "../unit/systemd-unit.ts";

/** The names that systemd accepts for a user. Source: systemd's documentation of user and group name syntax. */
const USER = /^[a-zA-Z_][a-zA-Z0-9_-]{0,30}$|^\d+$/;

export const command = defineCommand({
  details:
    "The unit opens what the config asks for and nothing else, and each line that opens something names who asked. What\nbuilt-in senses and workflows need follows from their options; what your own need stands in nerve.yaml as `needs`. No\nuser code runs. The head of the unit says what must exist: the user, folders, credentials, rules of polkit. Data under\n/var/lib becomes a StateDirectory, which systemd makes. Nothing is installed: the text goes to stdout.",
  arguments: [],
  options: { user: text("NAME", "the user (and group) it runs as (default nerve)", "u") },
  examples: [
    ["nerve unit -c /etc/nerve/nerve.yaml > /etc/systemd/system/nerve.service", "install it"],
    ["nerve check --host", "what the machine or the installed unit lacks"],
    ["nerve unit | systemd-analyze security --offline=true /dev/stdin", "how exposed it is"],
  ],
  async run({ options, config: given, json }) {
    const user = options.user ?? "nerve";
    if (!USER.test(user)) return usageError(`\`--user\` takes a user's name or number, not \`${user}\``);
    const asked = readAsked(given);
    if (!asked.ok) return asked;
    const { config, asks, remarks, outside } = asked.value;
    const places = placesOf(config);
    const bad = unfit(places);
    if (bad !== null) return usageError(`a systemd unit cannot hold the path ${JSON.stringify(bad)}`, "rename it");
    const unit = systemdUnit({ ...places, user, asks, remarks, outside });
    const openings = openingsOf(asks, places, outside);
    print(json ? safeJson({ ...places, user, openings, remarks, unit }) : unit);
    return ok(EXIT.done);
  },
});
