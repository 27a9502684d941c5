/** All that reading a configuration reaches outside its own text. */
import { err, type Result } from "../base/result.ts";
import type { Secret } from "../base/secrets.ts";
import type { Problem } from "../model/problem.ts";
import type { Report } from "./report.ts";
import type { Variables } from "./variables.ts";

export interface ConfigFile {
  readonly file: string;
  readonly text: string;
}

/** All a configuration can reach outside its own text. */
export interface ConfigSource extends Variables {
  /** As messages name it; relative paths in the configuration start at its folder. */
  readonly file: string;
  /** False: `when` and `clear` are taken as they are, for who only looks at what a running nerve has checked. */
  readonly checksPatterns: boolean;
  /** The files `pattern` stands for, in name order. Problems without a file get the place of the pattern. */
  readonly include: (pattern: string) => Result<readonly ConfigFile[], Problem[]>;
}

const noIncludes = (): Result<readonly ConfigFile[], Problem[]> => {
  const message = "files cannot be included from here";
  return err([{ kind: "no-includes", message, hint: null, file: null, line: null, column: null }]);
};

/** A text by itself: no variables, no credentials, no further files. */
export const NOTHING_AROUND: ConfigSource = {
  file: "nerve.yaml",
  environment: {},
  credential: () => null,
  standIn: null,
  checksPatterns: true,
  include: noIncludes,
};

/** One reading of a configuration. */
export interface Reading {
  readonly source: ConfigSource;
  /** Takes every problem and warning. */
  readonly report: Report;
  /** Takes what was filled in, each value with how it is shown. */
  readonly secrets: Secret[];
}
