/** Owns the addresses at which a config is reached from this host, and the refusals of who needs one. */
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

const LISTENERS = {
  http: { example: "http: 127.0.0.1:4280", lacks: "there is no page" },
  push: { example: "push: 127.0.0.1:4281", lacks: "nothing can be pushed over TCP" },
} as const;

/** The section of the config with an address. */
export function listenerOf(section: "http" | "push", { config, problems }: Place): Result<ListenConfig, Failure> {
  if (config === null) return fail(EXIT.badConfig, ...problems);
  const listens = config[section];
  if (listens !== null) return ok(listens);
  const { example, lacks } = LISTENERS[section];
  const hint = `write \`${example}\` into it, then \`nerve reload\``;
  return fail(
    EXIT.usage,
    problem(`no-${section}`, `${config.file} has no \`${section}\`: ${lacks}`, hint, config.file),
  );
}
