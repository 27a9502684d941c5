/** Owns what a configuration asks of the host, read without the variables and credentials that only its daemon gets. */
import { ok, type Result } from "../../base/result.ts";
import { Secrets } from "../../base/secrets.ts";
import { loadWithStandIns } from "../../config/load.ts";
import type { NerveConfig } from "../../model/config.ts";
import { type Ask, type Asked, asksOf } from "../../needs/asks.ts";
import { type Locations, locateSenses, locateWorkflows } from "../../spawn/modules-on-disk.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";
import { configFile, loadConfig } from "../place/place.ts";
import { SECRETS } from "../screen/secrets.ts";
import type { Outside } from "./openings.ts";

export interface AskedConfig extends Asked {
  readonly config: NerveConfig;
  readonly outside: Outside;
}

const CREDENTIAL = /^\$\{credential:(.*)\}$/;

function outsideOf(written: ReadonlySet<string>): Outside {
  const names = [...written].map((one) => CREDENTIAL.exec(one)?.[1] ?? null);
  return {
    credentials: names.filter((name) => name !== null),
    variables: [...written].filter((_, index) => names[index] === null).map((one) => one.slice(2, -1)),
  };
}

const isBuiltIn = (locations: Locations, name: string): boolean => {
  const found = locations.get(name);
  return found?.ok === true && found.value.folder === null;
};

/** The asks of a configuration. `missing` names the variables and credentials that had no value. */
export function askedIn(config: NerveConfig, missing: readonly string[]): AskedConfig {
  const secrets = new Secrets();
  secrets.learn(config.secrets);
  const locations = { sense: locateSenses(config), workflow: locateWorkflows(config) };
  const asked = asksOf(config, {
    isBuiltIn: (kind, name) => isBuiltIn(locations[kind], name),
    isSecret: (text) => secrets.isIn(text),
  });
  const written = new Set([...config.secrets.map((secret) => secret.written), ...missing]);
  return { config, outside: outsideOf(written), ...withoutSecrets(asked, secrets) };
}

const FILLED_IN =
  "what it needs is filled in from a variable or credential, which nerve writes nowhere: write the value itself as `needs`";

/** Turns each need that holds a secret into a remark. */
function withoutSecrets({ asks, remarks }: Asked, secrets: Secrets): Asked {
  const isPlain = ({ need }: Ask): boolean => !secrets.isIn(JSON.stringify(need));
  const hiding = new Set(asks.filter((ask) => !isPlain(ask)).map(({ who }) => who));
  const hidden = [...hiding].map((who) => ({ who, text: FILLED_IN }));
  return SECRETS.json({ asks: asks.filter(isPlain), remarks: [...remarks, ...hidden] });
}

/** The configuration that `given` names, and its asks of the host. */
export function readAsked(given: string | null): Result<AskedConfig, Failure> {
  const { read, missing } = loadWithStandIns(configFile(given), process.env, true);
  if (read.config !== null) SECRETS.learn(read.config.secrets);
  if (read.config !== null && read.problems.length === 0) return ok(askedIn(read.config, missing));
  // The text in place of a missing variable does not fit every option. The missing variable is then the problem.
  const loaded = loadConfig(given);
  return loaded.ok ? ok(askedIn(loaded.value, [])) : fail(EXIT.badConfig, ...loaded.error.problems);
}
