/** Owns the shape of a verb: its place in the help, and the command that it loads. */
import type { Command } from "./frame/command.ts";

/** The sections in the order of a person's first days. `--help` shows all but `keep`. */
export const SECTIONS = { begin: "Begin", see: "See", act: "Act", keep: "Keep" } as const;

export type Section = keyof typeof SECTIONS;

export interface Verb {
  readonly name: string;
  readonly section: Section;
  readonly usage: string;
  /** One sentence that begins lower-case and ends without a stop: for the overview and for the verb's own help. */
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

/** Only the command knows the types of its options; here all commands have one type. */
export const any = (module: Promise<{ readonly command: unknown }>) => module as Promise<{ readonly command: Command }>;
