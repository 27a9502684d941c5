/** Owns the step from argv to a command's input. An argument that no option explains is refused, with the nearest known word. */
import { nearest } from "../../base/nearest.ts";
import { ok, type Result } from "../../base/result.ts";
import { COMMON, type Command, type Input, type Options } from "./command.ts";
import { type Failure, usageError } from "./outcome.ts";

export type Parsed = { readonly kind: "help" } | { readonly kind: "run"; readonly input: Input<Options> };

interface Values {
  readonly values: Record<string, string | boolean | (string | boolean)[] | undefined>;
  readonly positionals: string[];
}

/** node:util is loaded only where arguments have to be parsed: loading it takes a quarter of the time of `nerve version`. */
function parse(argv: readonly string[], options: Options): Values {
  if (argv.length === 0) return { values: {}, positionals: [] };
  const { parseArgs } = require("node:util") as typeof import("node:util");
  return parseArgs({
    args: withNumbers(argv, options),
    options: definitionsOf(options),
    allowPositionals: true,
    strict: true,
  });
}

/**
 * `--limit -1` as `--limit=-1`, and `-n -1` as `-n-1`. No option begins with a digit. An option that takes a number names the
 * reason when it refuses this number.
 */
function withNumbers(argv: readonly string[], options: Options): string[] {
  const valued = Object.entries(options).filter(([, { kind }]) => kind !== "flag");
  const long = new Set(valued.map(([name]) => `--${name}`));
  const short = new Set(valued.flatMap(([, option]) => (option.short === null ? [] : [`-${option.short}`])));
  const end = argv.indexOf("--");
  const words: string[] = [];
  for (const [at, word] of argv.entries()) {
    const before = words.at(-1) ?? "";
    const isNumber = /^-\d/.test(word) && (end < 0 || at < end);
    if (isNumber && long.has(before)) words[words.length - 1] = `${before}=${word}`;
    else if (isNumber && short.has(before)) words[words.length - 1] = `${before}${word}`;
    else words.push(word);
  }
  return words;
}

/** `argv` with `--` before the command line that ends it, so that the options of that command stay its own. */
function withOwnWords(argv: readonly string[], command: Command, options: Options): readonly string[] {
  if (command.arguments.at(-1)?.name !== "command…" || argv.includes("--")) return argv;
  const valued = Object.entries(options).filter(([, { kind }]) => kind !== "flag");
  const takesNext = new Set(
    valued.flatMap(([name, { short }]) => [`--${name}`, ...(short === null ? [] : [`-${short}`])]),
  );
  let positionals = 0;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (takesNext.has(word)) at++;
    else if (!word.startsWith("-") && ++positionals === command.arguments.length) {
      return [...argv.slice(0, at), "--", ...argv.slice(at)];
    }
  }
  return argv;
}

const definitionsOf = (options: Options) =>
  Object.fromEntries(
    Object.entries(options).map(([name, { kind, short }]) => [
      name,
      {
        type: kind === "flag" ? ("boolean" as const) : ("string" as const),
        multiple: kind === "texts",
        ...(short === null ? {} : { short }),
      },
    ]),
  );

export function parseArguments(verb: string, command: Command, argv: readonly string[]): Result<Parsed, Failure> {
  const options: Options = { ...command.options, ...COMMON };
  const help = `see \`nerve ${verb} --help\``;
  let parsed: Values;
  try {
    parsed = parse(withOwnWords(argv, command, options), options);
  } catch (error) {
    return usageError(...explain(error as NodeJS.ErrnoException, options, help));
  }
  const { values, positionals } = parsed;
  if (values.help === true) return ok({ kind: "help" });
  const missing = command.arguments.filter(({ required }) => required)[positionals.length];
  if (missing) return usageError(`\`nerve ${verb}\` needs <${missing.name}>`, help);
  const takesMore = command.arguments.at(-1)?.name.endsWith("…") ?? false;
  const extra = takesMore ? undefined : positionals[command.arguments.length];
  if (extra !== undefined) return usageError(`unexpected argument \`${extra}\``, help);
  const input: Input<Options> = {
    options: Object.fromEntries(
      Object.entries(command.options).map(([name, { kind }]) => [
        name,
        values[name] ?? { flag: false, text: null, texts: [] }[kind],
      ]),
    ) as Input<Options>["options"],
    arguments: positionals,
    config: (values.config as string | undefined) ?? null,
    json: values.json === true,
  };
  return ok({ kind: "run", input });
}

/** Node's own message names the fault, but in words for a programmer. */
function explain(error: NodeJS.ErrnoException, options: Options, help: string): [string, string] {
  const given = /'(-[^' ]*)/.exec(error.message)?.[1] ?? "";
  const [bare = ""] = given.split("=");
  if (error.code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    const meant = bare.startsWith("--") ? nearest(bare.slice(2), Object.keys(options)) : null;
    return [`unknown option \`${bare}\``, meant === null ? help : `did you mean \`--${meant}\`?`];
  }
  const name = /--([\w-]+)/.exec(error.message)?.[1] ?? "";
  const option = options[name];
  if (option === undefined) return [error.message, help];
  if (option.kind === "flag") return [`\`--${name}\` takes no value`, help];
  return [`\`--${name}\` needs a value`, `write \`--${name} ${option.value}\``];
}
