/** Owns the contract for everything that the reading of a configuration reaches outside its own text. */
import { err, type Result } from "../base/result.ts";
import type { Secret } from "../base/secrets.ts";
import type { Problem } from "../model/problem.ts";
import type { Report } from "./report.ts";
import type { Variables } from "./variables.ts";

export interface ConfigFile {
  readonly file: string;
  readonly text: string;
}

/** Everything that a configuration can reach outside its own text. */
export interface ConfigSource extends Variables {
  /** The name of the file in messages. Relative paths in the configuration start at the folder of this file. */
  readonly file: string;
  /** What this machine calls itself. */
  readonly hostName: string;
  /** With false, `when` and `clear` are accepted without a check: a running nerve has checked them already. */
  readonly checksPatterns: boolean;
  /** With false, what is allowed and most likely a mistake is not looked for: a daemon has nobody to name it to. */
  readonly warns: boolean;
  /** Returns the files that `pattern` matches, in name order. A problem without a file gets the place of the pattern. */
  readonly include: (pattern: string) => Result<readonly ConfigFile[], Problem[]>;
  /** Whether a workflow of this name lies beside the configuration. It comes before a built-in one. */
  readonly isOwnWorkflow: (use: string) => boolean;
}

/** The text in place of a variable or credential that only the daemon gets. Most options accept this text, addresses too. */
export const STAND_IN = "https://stand-in.invalid/";

export const isStandIn = (text: string): boolean => text === STAND_IN;

const noIncludes = (): Result<readonly ConfigFile[], Problem[]> => {
  const message = "files cannot be included from here";
  return err([{ kind: "no-includes", message, hint: null, file: null, line: null, column: null }]);
};

/** The source of a text without surroundings: no variables, no credentials, no further files. */
export const NOTHING_AROUND: ConfigSource = {
  file: "nerve.yaml",
  hostName: "localhost",
  environment: {},
  credential: () => null,
  standIn: null,
  checksPatterns: true,
  warns: true,
  include: noIncludes,
  isOwnWorkflow: () => false,
};

/** One reading of a configuration. */
export interface Reading {
  readonly source: ConfigSource;
  /** Receives every problem and warning. */
  readonly report: Report;
  /** Receives the values that were filled in, each with the text that a message shows instead. */
  readonly secrets: Secret[];
}
