/** Owns `nerve fleet init`: the server's configuration, with what each host may do, and the stream. */
import { parseDuration } from "../../base/duration.ts";
import { ok, type Result } from "../../base/result.ts";
import { formatSize, parseSize } from "../../base/size.ts";
import { duration } from "../../base/times.ts";
import { isTrouble } from "../../fleet/engine/engine.ts";
import type { FleetUser } from "../../fleet/nats/permissions.ts";
import type { ServerWish } from "../../fleet/nats/server-config.ts";
import type { Limits, StreamWish } from "../../fleet/nats/stream.ts";
import type { FleetConfig } from "../../model/fleet.ts";
import { problem } from "../../model/problem.ts";
import { EXIT, type Failure, fail, type Outcome, usageError } from "../frame/outcome.ts";
import { print } from "../screen/terminal.ts";
import { type Joined, joined, settingsOf } from "./access.ts";
import { usersOf } from "./users.ts";

export interface InitOptions {
  /** Hosts that receive. */
  readonly hub: readonly string[];
  /** `NAME=HOST,HOST`. */
  readonly site: readonly string[];
  /** The site whose leaf node is printed. */
  readonly leaf: string | null;
  readonly "max-bytes": string | null;
  readonly "max-age": string | null;
  readonly replicas: string | null;
  readonly print: boolean;
}

const MAX_BYTES = "10gb";
const MAX_AGE = "7d";
const PORT = "4222";
const LEAF_PORT = "7422";
/** Of JetStream, where leaf nodes need one and nerve.yaml names none. */
const DOMAIN = "hub";
const LEAST_BYTES = 1024 * 1024;
const LEAST_AGE_MS = 3_600_000;

export async function init(words: readonly string[], options: InitOptions, given: string | null): Promise<Outcome> {
  const at = joined(given);
  if (!at.ok) return at;
  const wish = wishOf(options, at.value.fleet.stream);
  if (!wish.ok) return wish;
  const users = await usersOf(words, options, at.value);
  if (!users.ok) return users;
  const isAlone = options.print || options.leaf !== null;
  const isPrinted = isAlone || words.length > 0;
  if (isPrinted) {
    const text = await configurationOf(users.value, at.value.fleet, options.leaf);
    if (!text.ok) return text;
    print(text.value.trimEnd());
  }
  if (isAlone) return ok(EXIT.done);
  return makeStreamOf(at.value, wish.value, options, (text) => print(isPrinted ? `# ${text}` : text));
}

/** Of the server, or of the leaf node of a site. */
async function configurationOf(
  users: readonly FleetUser[],
  { servers, stream, domain: named }: FleetConfig,
  leaf: string | null,
): Promise<Result<string, Failure>> {
  const { leafConfig, serverConfig, sitesOf } = await import("../../fleet/nats/server-config.ts");
  const sites = sitesOf(users);
  const domain = named ?? (sites.length > 0 ? DOMAIN : null);
  const url = URL.parse(servers[0] ?? "");
  const isTls = url?.protocol === "tls:";
  const address = isTls ? "0.0.0.0" : (url?.hostname ?? "127.0.0.1");
  const wish: ServerWish = {
    users,
    stream,
    domain,
    listen: `${address}:${url?.port || PORT}`,
    leafListen: `${address}:${LEAF_PORT}`,
    isTls,
  };
  if (leaf === null) return ok(serverConfig(wish));
  if (domain === null || !sites.includes(leaf))
    return usageError(`there is no site \`${leaf}\``, `add \`--site ${leaf}=HOST,HOST\``);
  return ok(leafConfig({ ...wish, domain }, leaf));
}

function wishOf(options: InitOptions, stream: string): Result<StreamWish, Failure> {
  const maxBytes = parseSize(options["max-bytes"] ?? MAX_BYTES);
  if (maxBytes === null || maxBytes < LEAST_BYTES)
    return usageError("`--max-bytes` is no size of at least 1mb", "such as 10gb");
  const maxAgeMs = parseDuration(options["max-age"] ?? MAX_AGE);
  if (maxAgeMs === null || maxAgeMs < LEAST_AGE_MS)
    return usageError("`--max-age` is no duration of at least 1h", "such as 7d");
  const replicas = Number(options.replicas ?? "1");
  if (![1, 3, 5].includes(replicas)) return usageError("`--replicas` is 1, 3 or 5", "1 on a single server");
  return ok({ stream, maxBytes, maxAgeMs, replicas });
}

const CHANGE_HINT =
  "`nerve fleet init HOST=KEY… --print` prints what the server's configuration needs: an older one does not let a hub change the stream";

type Given = Pick<InitOptions, "max-bytes" | "max-age" | "replicas">;

/** What was given on the command line; the rest stays. */
const limitsOver = (now: Limits, wish: Limits, given: Given): Limits => ({
  maxBytes: given["max-bytes"] === null ? now.maxBytes : wish.maxBytes,
  maxAgeMs: given["max-age"] === null ? now.maxAgeMs : wish.maxAgeMs,
  replicas: given.replicas === null ? now.replicas : wish.replicas,
});

const sizeOr = (bytes: number): string => (bytes === 0 ? "no limit" : formatSize(bytes));
const timeOr = (ms: number): string => (ms === 0 ? "no limit" : duration(ms));

function differences(now: Limits, next: Limits): string[] {
  const both = (name: string, words: (limits: Limits) => string): string[] =>
    words(now) === words(next) ? [] : [`${name}: ${words(now)} -> ${words(next)}`];
  return [
    ...both("max-bytes", ({ maxBytes }) => sizeOr(maxBytes)),
    ...both("max-age", ({ maxAgeMs }) => timeOr(maxAgeMs)),
    ...both("replicas", ({ replicas }) => String(replicas)),
  ];
}

async function makeStreamOf(
  at: Joined,
  wish: StreamWish,
  options: Given,
  say: (text: string) => void,
): Promise<Outcome> {
  const settings = settingsOf(at);
  if (!settings.ok) return settings;
  const { Nats } = await import("../../fleet/nats/session.ts");
  const { changeLimits, makeStream } = await import("../../fleet/nats/stream.ts");
  const session = await new Nats(settings.value).connect();
  const hint =
    "`nerve fleet init HOST=KEY… --print` prints the configuration of the server; once it runs with that, run this command again";
  if (isTrouble(session)) return fail(EXIT.finding, problem("no-stream", session.why, hint));
  try {
    const made = await makeStream(session.requests, wish);
    if (isTrouble(made)) return fail(EXIT.finding, problem("no-stream", made.why, hint));
    if (made.kind === "made") say(`the stream ${wish.stream} is made`);
    else {
      const limits = limitsOver(made.limits, wish, options);
      const changes = differences(made.limits, limits);
      const trouble =
        changes.length === 0 ? null : await changeLimits(session.requests, made.config, { ...wish, ...limits });
      if (trouble !== null) return fail(EXIT.finding, problem("stream-limits", trouble.why, CHANGE_HINT));
      for (const change of changes) say(`the stream ${wish.stream} has another ${change}`);
      if (changes.length === 0) say(`the stream ${wish.stream} is there already, and stays as it is`);
      for (const other of differences(limits, wish))
        say(`its ${other.replace(" -> ", ", and a new stream would have ")}`);
    }
    if (session.concern !== null) say(session.concern);
    return ok(EXIT.done);
  } finally {
    await session.close();
  }
}
