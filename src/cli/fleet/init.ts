/** Owns `nerve fleet init`: the server's configuration, with what each host may do, and the stream. */
import { parseDuration } from "../../base/duration.ts";
import { ok, type Result } from "../../base/result.ts";
import { parseSize } from "../../base/size.ts";
import { isTrouble } from "../../fleet/engine/engine.ts";
import type { FleetUser } from "../../fleet/nats/permissions.ts";
import type { StreamWish } from "../../fleet/nats/stream.ts";
import { receivedBy } from "../../model/fleet.ts";
import { isName } from "../../model/name.ts";
import { problem } from "../../model/problem.ts";
import { EXIT, type Failure, fail, type Outcome, usageError } from "../frame/outcome.ts";
import { print } from "../screen/terminal.ts";
import { type Joined, joined, settingsOf } from "./access.ts";

export interface InitOptions {
  /** Hosts that receive. */
  readonly hub: readonly string[];
  readonly "max-bytes": string | null;
  readonly "max-age": string | null;
  readonly replicas: string | null;
  readonly print: boolean;
}

const MAX_BYTES = "10gb";
const MAX_AGE = "7d";
const PUBLIC_KEY = /^U[A-Z2-7]{55}$/;
const SEED = /(^|=)\s*S[A-Z2-7]{20,}/;
const LEAST_BYTES = 1024 * 1024;
const LEAST_AGE_MS = 3_600_000;

export async function init(words: readonly string[], options: InitOptions, given: string | null): Promise<Outcome> {
  const at = joined(given);
  if (!at.ok) return at;
  const wish = wishOf(options, at.value.fleet.stream);
  if (!wish.ok) return wish;
  const users = await usersOf(words, options.hub, at.value);
  if (!users.ok) return users;
  const { serverConfig } = await import("../../fleet/nats/permissions.ts");
  const { fleet } = at.value;
  const url = URL.parse(fleet.servers[0] ?? "");
  const isTls = url?.protocol === "tls:";
  const listen = `${isTls ? "0.0.0.0" : (url?.hostname ?? "127.0.0.1")}:${url?.port || "4222"}`;
  const isPrinted = options.print || words.length > 0;
  if (isPrinted)
    print(serverConfig({ users: users.value, stream: fleet.stream, domain: fleet.domain, listen, isTls }).trimEnd());
  if (options.print) return ok(EXIT.done);
  return makeStreamOf(at.value, wish.value, (text) => print(isPrinted ? `# ${text}` : text));
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

/** This host, with its own key, and those that are named. */
async function usersOf(
  words: readonly string[],
  hubs: readonly string[],
  { config, fleet }: Joined,
): Promise<Result<readonly FleetUser[], Failure>> {
  const keys = new Map<string, string>();
  for (const word of words) {
    const [host = "", publicKey = ""] = word.split("=");
    // A seed is never printed.
    if (SEED.test(word))
      return usageError(
        `${isName(host) ? `what stands behind \`${host}=\`` : "a word"} is a seed, which belongs on its host alone`,
        "write the public half, which begins with U; make another pair where others may have seen the seed",
      );
    if (!isName(host) || !PUBLIC_KEY.test(publicKey))
      return usageError(
        `\`${word}\` is not HOST=PUBLIC-KEY`,
        "`nerve fleet key HOST` makes a pair; its public half begins with U",
      );
    if (keys.has(host)) return usageError(`\`${host}\` is named twice`);
    const twin = [...keys].find(([, key]) => key === publicKey);
    if (twin !== undefined)
      return usageError(
        `\`${twin[0]}\` and \`${host}\` have the same key`,
        "`nerve fleet key` makes a pair for each host",
      );
    keys.set(host, publicKey);
  }
  if (!keys.has(config.host)) {
    const own = await ownKey(fleet.nkey);
    const twin = [...keys].find(([, key]) => key === own);
    if (twin !== undefined)
      return usageError(
        `the key of \`${twin[0]}\` is the one of this host, which is called ${config.host}`,
        "`nerve fleet key` makes a pair for each host",
      );
    if (own !== null) keys.set(config.host, own);
  }
  const unknown = hubs.find((hub) => !keys.has(hub));
  if (unknown !== undefined) return usageError(`there is no key of \`${unknown}\``, `add ${unknown}=PUBLIC-KEY`);
  if (keys.size === 0 && words.length > 0)
    return usageError(
      "no host is named",
      "`nerve fleet key hub web1` makes keys; then `nerve fleet init hub=U… web1=U… --hub hub`",
    );
  const receives = (host: string): boolean =>
    hubs.includes(host) || (host === config.host && receivedBy(fleet, config.reflexes).length > 0);
  return ok([...keys].map(([host, publicKey]) => ({ host, publicKey, receives: receives(host) })));
}

async function ownKey(seed: string | null): Promise<string | null> {
  if (seed === null) return null;
  const { publicKeyOf } = await import("../../fleet/nats/keys.ts");
  try {
    return publicKeyOf(seed);
  } catch {
    // Its value is with the daemon alone.
    return null;
  }
}

async function makeStreamOf(at: Joined, wish: StreamWish, say: (text: string) => void): Promise<Outcome> {
  const settings = settingsOf(at);
  if (!settings.ok) return settings;
  const { Nats } = await import("../../fleet/nats/session.ts");
  const { makeStream } = await import("../../fleet/nats/stream.ts");
  const session = await new Nats(settings.value).connect();
  const hint =
    "`nerve fleet init HOST=KEY… --print` prints the configuration of the server; once it runs with that, run this command again";
  if (isTrouble(session)) return fail(EXIT.finding, problem("no-stream", session.why, hint));
  try {
    const made = await makeStream(session.requests, wish);
    if (isTrouble(made)) return fail(EXIT.finding, problem("no-stream", made.why, hint));
    say(
      made.kind === "made"
        ? `the stream ${wish.stream} is made`
        : `the stream ${wish.stream} is there already, and stays as it is`,
    );
    if (session.concern !== null) say(session.concern);
    return ok(EXIT.done);
  } finally {
    await session.close();
  }
}
