/** Owns `nerve token`: prints the token that opens the page or the metrics, and makes a new one. */
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { renewToken, TOKEN_NAMES, type TokenName, tokenOf } from "../../tokens/token-files.ts";
import { defineCommand, flag } from "../frame/command.ts";
import { EXIT, fail, usageError } from "../frame/outcome.ts";
import { addressOf, httpOf } from "../place/http-address.ts";
import { findPlace } from "../place/place.ts";
import { print } from "../screen/terminal.ts";

const isName = (word: string): word is TokenName => (TOKEN_NAMES as readonly string[]).includes(word);

/** What one pastes into a shell to look with it. */
const lineOf = (name: TokenName, address: string, token: string): string =>
  `curl -H "Authorization: Bearer ${token}" ${address}${name === "page" ? "/api/v1/status" : "/metrics"}`;

export const command = defineCommand({
  details:
    "A program sends it as `Authorization: Bearer TOKEN`: `page` opens everything that can be looked at, `metrics` opens\n/metrics alone. Tokens lie in data/tokens, readable by nerve's user only. With --renew the old token, and every cookie\nthat was made with it, opens nothing from then on. The daemon need not run.",
  arguments: [{ name: "page|metrics", required: true }],
  options: { renew: flag("a new token in the place of the old one") },
  examples: [
    ["nerve token page", "the token, and a line that looks with it"],
    ["nerve token metrics --json | jq -r .token", "for the configuration of a scraper"],
    ["nerve token page --renew", "signs every browser out"],
  ],
  async run({ arguments: [name = ""], options, config, json }) {
    if (!isName(name)) return usageError(`there is no token \`${name}\``, `one of ${TOKEN_NAMES.join(", ")}`);
    const place = findPlace(config);
    if (!place.ok) return place;
    const http = httpOf(place.value);
    if (!http.ok) return http;
    const { data } = place.value;
    const token = options.renew ? renewToken(data, name) : tokenOf(data, name);
    if (!token.ok) return fail(EXIT.finding, token.error);
    const address = addressOf(http.value);
    if (json) print(safeJson({ name, token: token.value, url: address }));
    else print(`${token.value}\n${lineOf(name, address, token.value)}`);
    return ok(EXIT.done);
  },
});
