/** Owns `nerve token`: prints the token of the page, of the metrics or of a sense's inbox, and makes a new one. */
import { safeJson } from "../../base/escape.ts";
import { nearest } from "../../base/nearest.ts";
import { ok, type Result } from "../../base/result.ts";
import type { NerveConfig } from "../../model/config.ts";
import { problem } from "../../model/problem.ts";
import { pingToken } from "../../tokens/passes.ts";
import { renewToken, senseToken, TOKEN_NAMES, type TokenName, tokenOf } from "../../tokens/token-files.ts";
import { defineCommand, flag } from "../frame/command.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";
import { addressOf, listenerOf } from "../place/http-address.ts";
import { findPlace } from "../place/place.ts";
import { print } from "../screen/terminal.ts";

type Named = { readonly kind: "look"; readonly name: TokenName } | { readonly kind: "push"; readonly sense: string };

/** `sense:NAME` is a sense that has the name of a token. */
function namedBy(word: string, config: NerveConfig | null): Result<Named, Failure> {
  const [, written] = /^sense:(.+)$/.exec(word) ?? [];
  const isToken = (TOKEN_NAMES as readonly string[]).includes(word);
  if (isToken) return ok({ kind: "look", name: word as TokenName });
  const sense = written ?? word;
  const senses = [...(config?.senses.values() ?? [])].filter(({ inbox }) => inbox !== null).map(({ name }) => name);
  if (config === null || senses.includes(sense)) return ok({ kind: "push", sense });
  if (config.senses.has(sense)) {
    const hint = `write \`inbox: {}\` under \`senses.${sense}\`, then \`nerve reload\``;
    return fail(EXIT.usage, problem("no-inbox", `the sense \`${sense}\` has no inbox`, hint, config.file));
  }
  const names = [...TOKEN_NAMES, ...senses];
  const meant = nearest(sense, names);
  const hint = meant === null ? `one of ${names.join(", ")}` : `did you mean \`${meant}\`?`;
  return fail(EXIT.usage, problem("usage", `there is no token \`${word}\``, hint));
}

const header = (token: string): string => `-H "Authorization: Bearer ${token}"`;

/** What one pastes into a shell, and the addresses for other programs. */
function usesOf(named: Named, address: string, base: string, token: string) {
  if (named.kind === "look") {
    const path = named.name === "page" ? "/api/v1/status" : "/metrics";
    return { lines: [`curl ${header(token)} ${address}${path}`], urls: { url: address } };
  }
  const url = `${base}/v1/inbox/${encodeURIComponent(named.sense)}`;
  const ping_url = `${base}/ping/${pingToken(token, named.sense)}`;
  return { lines: [`curl ${header(token)} --json '{}' ${url}`, `curl ${ping_url}`], urls: { url, ping_url } };
}

export const command = defineCommand({
  details:
    "A program sends it as `Authorization: Bearer TOKEN`: `page` opens everything that can be looked at, `metrics` opens\n/metrics alone, and the token of a sense lets items into its inbox. For a sense its ping URL is printed too, which pings\nthat sense and does nothing else. Tokens lie in data/tokens, readable by nerve's user only. With --renew the old token,\nevery cookie that was made with it, and its ping URL open nothing from then on. The daemon need not run.",
  arguments: [{ name: "page|metrics|sense", required: true }],
  options: { renew: flag("a new token in the place of the old one") },
  examples: [
    ["nerve token page", "the token, and a line that looks with it"],
    ["nerve token metrics --json | jq -r .token", "for the configuration of a scraper"],
    ["nerve token backup", "a line that pushes to the sense `backup`, and its ping URL"],
    ["nerve token page --renew", "signs every browser out"],
  ],
  async run({ arguments: [word = ""], options, config, json }) {
    const place = findPlace(config);
    if (!place.ok) return place;
    const named = namedBy(word, place.value.config);
    if (!named.ok) return named;
    const listens = listenerOf(named.value.kind === "look" ? "http" : "push", place.value);
    if (!listens.ok) return listens;
    const { data } = place.value;
    const file = named.value.kind === "look" ? named.value.name : senseToken(named.value.sense);
    const token = options.renew ? renewToken(data, file) : tokenOf(data, file);
    if (!token.ok) return fail(EXIT.finding, token.error);
    const address = addressOf(listens.value);
    const { lines, urls } = usesOf(named.value, address, listens.value.url ?? address, token.value);
    const name = named.value.kind === "look" ? named.value.name : named.value.sense;
    if (json) print(safeJson({ name, token: token.value, ...urls }));
    else print([token.value, ...lines].join("\n"));
    return ok(EXIT.done);
  },
});
