/** Owns the address at which the page of a config is reached from this host, and the refusals of who needs one. */
import type { Result } from "../../base/result.ts";
import { ok } from "../../base/result.ts";
import type { ListenConfig } from "../../model/config.ts";
import { problem } from "../../model/problem.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";
import type { Place } from "./place.ts";

/** Addresses that mean every address of the host. */
const EVERY: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** `http://127.0.0.1:4280`. */
export function addressOf({ hostname, port }: ListenConfig): string {
  const host = EVERY.has(hostname) ? "127.0.0.1" : hostname.includes(":") ? `[${hostname}]` : hostname;
  return `http://${host}:${port}`;
}

export function httpOf({ config, problems }: Place): Result<ListenConfig, Failure> {
  if (config === null) return fail(EXIT.badConfig, ...problems);
  if (config.http !== null) return ok(config.http);
  const hint = "write `http: 127.0.0.1:4280` into it, then `nerve reload`";
  return fail(EXIT.usage, problem("no-http", `${config.file} has no \`http\`: there is no page`, hint, config.file));
}
