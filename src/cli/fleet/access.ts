/** Owns the step from nerve.yaml to what is needed to speak with the servers of `fleet`, by commands that do so without a daemon. */
import { ok, type Result } from "../../base/result.ts";
import { loadWithStandIns } from "../../config/load.ts";
import { STAND_IN } from "../../config/source.ts";
import type { NatsSettings } from "../../fleet/nats/session.ts";
import type { NerveConfig } from "../../model/config.ts";
import type { FleetConfig } from "../../model/fleet.ts";
import { problem } from "../../model/problem.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";
import { configFile, explainAbsence } from "../place/place.ts";
import { SECRETS } from "../screen/secrets.ts";

/** A configuration with `fleet`. */
export interface Joined {
  readonly config: NerveConfig;
  readonly fleet: FleetConfig;
  /** Variables and credentials that only the daemon has. */
  readonly missing: readonly string[];
}

export function joined(given: string | null): Result<Joined, Failure> {
  const { read, missing } = loadWithStandIns(configFile(given), process.env, false);
  const { config, problems } = read;
  if (config !== null) SECRETS.learn(config.secrets);
  if (config === null || problems.length > 0) return fail(EXIT.badConfig, ...explainAbsence(problems, given));
  const { fleet } = config;
  if (fleet !== null) return ok({ config, fleet, missing });
  const hint = "add `fleet: { servers: [tls://nats1.example:4222] }` to nerve.yaml";
  return fail(EXIT.usage, problem("no-fleet", "this host is in no fleet", hint, config.file));
}

/** What connects this host, once nothing of it is missing here. */
export function settingsOf({ config, fleet, missing }: Joined): Result<NatsSettings, Failure> {
  const { servers, domain, stream, nkey, creds, ca, cert, key } = fleet;
  const settings = { host: config.host, servers, domain, stream, nkey, creds, ca, cert, key };
  if (!JSON.stringify(settings).includes(STAND_IN)) return ok(settings);
  const names = missing.join(", ");
  const hint = `set it here, or run the command as the daemon: \`systemd-run --pipe -p LoadCredential=NAME:/path nerve fleet …\``;
  return fail(
    EXIT.badConfig,
    problem("missing-variable", `\`fleet\` needs ${names}, which this shell does not have`, hint),
  );
}
