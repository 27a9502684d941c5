/**
 * Owns the choice of a command's configuration and data directory. A config that was broken after the start must not stop a
 * command that only looks at a running nerve: then only `data` is read.
 */
import { resolve } from "node:path";
import { err, ok, type Result } from "../../base/result.ts";
import { loadNerveConfig, loadWithStandIns } from "../../config/load.ts";
import { STAND_IN } from "../../config/source.ts";
import type { NerveConfig } from "../../model/config.ts";
import type { Problem } from "../../model/problem.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";
import { SECRETS } from "../screen/secrets.ts";
import { shellWord } from "../screen/shell-word.ts";

const DEFAULT_FILE = "nerve.yaml";

/** The absolute path of `-c`, else of `$NERVE_CONFIG`, else of ./nerve.yaml. */
export const configFile = (given: string | null): string =>
  resolve(given ?? (process.env.NERVE_CONFIG || DEFAULT_FILE));

/** The whole configuration, or every problem in it. */
export const loadConfig = (given: string | null): Result<NerveConfig, Failure> => load(given, true);

/**
 * The whole configuration, for a command that only looks at the rules. A variable or credential that only the daemon gets is
 * no problem, as long as neither `data` nor a reflex needs its value.
 */
export function loadRules(given: string | null, checksPatterns: boolean): Result<NerveConfig, Failure> {
  const whole = load(given, checksPatterns);
  if (whole.ok) return whole;
  const { config, problems } = loadWithStandIns(configFile(given), process.env, checksPatterns).read;
  if (config === null || problems.length > 0) return whole;
  if (config.data !== dataAlone(config.file) || JSON.stringify(config.reflexes).includes(STAND_IN)) return whole;
  SECRETS.learn(config.secrets);
  return ok(config);
}

function load(given: string | null, checksPatterns: boolean): Result<NerveConfig, Failure> {
  const file = configFile(given);
  const loaded = loadNerveConfig(file, process.env, checksPatterns);
  if (loaded.ok) SECRETS.learn(loaded.value.secrets);
  return loaded.ok ? loaded : fail(EXIT.badConfig, ...explainAbsence(loaded.error, given));
}

/** Adds to the problem of a missing config how to name a config, and how to make a first one. */
export function explainAbsence(problems: readonly Problem[], given: string | null): Problem[] {
  const named = given !== null || Boolean(process.env.NERVE_CONFIG);
  const first = "`nerve init` writes a first one";
  const hint = named ? `name another, or ${first}` : `name a config with -c FILE or $NERVE_CONFIG; ${first}`;
  const file = configFile(given);
  // A problem with a place in the file is about another file that the config names.
  const isAbsence = (found: Problem): boolean =>
    found.kind === "not-found" && found.file === file && found.line === null;
  return problems.map((found) => (isAbsence(found) ? { ...found, hint } : found));
}

export interface Place {
  readonly file: string;
  /** The absolute path of the data directory. */
  readonly data: string;
  /** As {@link loadRules} reads it. Null when the config has `problems`. */
  readonly config: NerveConfig | null;
  readonly problems: readonly Problem[];
}

export function findPlace(given: string | null): Result<Place, Failure> {
  const file = configFile(given);
  const loaded = loadRules(given, false);
  if (loaded.ok) return ok({ file, data: loaded.value.data, config: loaded.value, problems: [] });
  const data = dataAlone(file);
  return data === null ? loaded : ok({ file, data, config: null, problems: loaded.error.problems });
}

/** Loads the parser of the `yaml` package, which nothing but a config with problems needs. */
const dataAlone = (file: string): string | null =>
  (require("./data-alone.ts") as typeof import("./data-alone.ts")).dataAlone(file);

/** For when neither a daemon nor data is found: the problems of a broken config explain this better than the absence does. */
export const nothingThere = (place: Place, found: Problem): { readonly ok: false; readonly error: Failure } =>
  err(
    place.problems.length > 0
      ? { code: EXIT.badConfig, problems: place.problems }
      : { code: EXIT.unreachable, problems: [found] },
  );

/** ` -c FILE` where the next command needs it, else "". */
export const configOption = (file: string, given: string | null): string =>
  given === null ? "" : ` -c ${shellWord(file)}`;

/** The command that starts the daemon of this place. */
export const startCommand = ({ file }: Place): string =>
  /\.ya?ml$/.test(file) ? `nerve ${shellWord(file)}` : `nerve start -c ${shellWord(file)}`;
