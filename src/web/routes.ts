/** Owns the paths of the API: what each takes, and who answers. */
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { StoreReader } from "../store/open-reader.ts";
import { findingStory } from "../stories/find-story.ts";
import { tellStory } from "../stories/story.ts";
import { storyJson } from "../stories/story-json.ts";
import {
  configAnswer,
  graphAnswer,
  sensesAnswer,
  sessionAnswer,
  silencesAnswer,
  statusAnswer,
  storeAnswer,
} from "./host-answers.ts";
import { HOSTS_QUERY, hostsAnswer } from "./hosts-answer.ts";
import type { KernelLink } from "./kernel-link.ts";
import {
  DEATHS_QUERY,
  deaths,
  INCIDENTS_QUERY,
  incidents,
  LOGS_QUERY,
  logs,
  RUNS_QUERY,
  runs,
  SIGNALS_QUERY,
  signals,
} from "./lists.ts";
import { openapi } from "./openapi.ts";
import type { Place } from "./place.ts";
import { type Parameters, readQuery, type Shape } from "./query.ts";
import { REFLEX_QUERY, reflexAnswer, reflexesAnswer } from "./reflex-answers.ts";
import { SERIES_QUERY, seriesAnswer } from "./series.ts";
import { Slices } from "./slices.ts";
import { STREAM_QUERY } from "./stream.ts";
import { whyAnswer } from "./why-answer.ts";

/** What an answer is made of. */
export interface Parts {
  readonly place: Place;
  readonly link: KernelLink;
  readonly store: StoreReader;
  readonly query: URLSearchParams;
  /** What stands in the path. */
  readonly names: readonly string[];
  /** Until when the cookie is good; null: a token. */
  readonly until: number | null;
}

type Outcome = Result<unknown, Problem>;

export type Route =
  | {
      readonly kind: "answer";
      /** As it is written: `/api/v1/runs/{id}`. */
      readonly path: string;
      readonly pattern: RegExp;
      readonly takes: Shape;
      /** What it answers with: the name of its type in the contracts. Null: the document of the API. */
      readonly gives: string | null;
      answer(parts: Parts): Promise<Outcome>;
    }
  | {
      readonly kind: "stream";
      readonly path: string;
      readonly pattern: RegExp;
      readonly takes: Shape;
      readonly gives: string;
    };

export const BASE = "/api/v1";

const patternOf = (path: string): RegExp => new RegExp(`^${path.replaceAll(/\{\w+\}/g, "([^/]{1,600})")}$`);

function route<const S extends Shape>(
  path: string,
  shape: S,
  gives: string | null,
  answer: (parts: Parts, query: Parameters<S>) => Outcome | Promise<Outcome>,
): Route {
  const whole = `${BASE}${path}`;
  return {
    kind: "answer",
    path: whole,
    pattern: patternOf(whole),
    takes: shape,
    gives,
    async answer(parts) {
      const query = readQuery(parts.query, shape);
      return query.ok ? answer(parts, query.value) : query;
    },
  };
}

/** A story is whole or none: its rows may lie anywhere behind its beginning. */
const STORY_MS = 5_000;

async function story({ store, names: [word = ""] }: Parts, prefix: string): Promise<Outcome> {
  const found = await new Slices(STORY_MS).run(findingStory(store, `${prefix}${word}`));
  if (found === null) {
    return err(problem("too-much", `what belongs to ${word} cannot be found in time`, `nerve show ${word}`));
  }
  return found.ok ? ok(storyJson(found.value, tellStory(found.value.begin, found.value))) : found;
}

export const ROUTES: readonly Route[] = [
  route("/session", {}, "SessionAnswer", ({ place, until }) => ok(sessionAnswer(place, until))),
  route("/status", {}, "StatusAnswer", async ({ place, link, store }) => ok(await statusAnswer(place, link, store))),
  route("/senses", {}, "SensesAnswer", async ({ place, link, store }) => ok(await sensesAnswer(place, link, store))),
  route("/signals", SIGNALS_QUERY, "SignalsAnswer", ({ store }, query) => signals(store, query)),
  route("/logs", LOGS_QUERY, "LogsAnswer", ({ store }, query) => logs(store, query)),
  route("/runs", RUNS_QUERY, "RunsAnswer", ({ store }, query) => runs(store, query)),
  route("/runs/{id}", {}, "StoryAnswer", (parts) => story(parts, "run:")),
  route("/traces/{id}", {}, "StoryAnswer", (parts) => story(parts, "")),
  route("/incidents", INCIDENTS_QUERY, "IncidentsAnswer", ({ store }, query) => incidents(store, query)),
  route("/deaths", DEATHS_QUERY, "DeathsAnswer", ({ store }, query) => deaths(store, query)),
  route("/reflexes", {}, "ReflexesAnswer", async ({ place, link, store }) =>
    ok(await reflexesAnswer(place, link, store)),
  ),
  route("/reflexes/{name}", REFLEX_QUERY, "ReflexAnswer", ({ place, store, names: [name = ""] }, query) =>
    reflexAnswer(place, store, name, query),
  ),
  route("/series", SERIES_QUERY, "SeriesAnswer", ({ place, link, store }, query) =>
    seriesAnswer(place, link, store, query, new Slices()),
  ),
  route("/graph", {}, "GraphAnswer", ({ place }) => ok(graphAnswer(place))),
  route("/config", {}, "ConfigAnswer", ({ place }) => ok(configAnswer(place))),
  route("/store", {}, "StoreAnswer", async ({ place, link, store }) =>
    ok(await storeAnswer(place, link, store, new Slices())),
  ),
  route("/why", {}, "WhyAnswer", ({ place, link, store }) => whyAnswer(place, link, store)),
  route("/hosts", HOSTS_QUERY, "HostsAnswer", async ({ link, store }, query) =>
    ok(await hostsAnswer(link, store, query)),
  ),
  route("/silences", {}, "SilencesAnswer", async ({ link }) => ok(await silencesAnswer(link))),
  route("/openapi.json", {}, null, ({ place }) => ok(openapi(ROUTES, place.version))),
  {
    kind: "stream",
    path: `${BASE}/events`,
    pattern: patternOf(`${BASE}/events`),
    takes: STREAM_QUERY,
    gives: "StreamEvents",
  },
];
