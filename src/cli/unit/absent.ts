/** Owns the search for programs, paths and devices of a configuration that this machine lacks, each with its place in the file. */
import { lstatSync } from "node:fs";
import type { Parts } from "../../config/pattern-parts.ts";
import type { ReflexConfig } from "../../model/config.ts";
import { type Problem, problem } from "../../model/problem.ts";
import type { Ask } from "../../needs/asks.ts";
import type { AskedConfig } from "./asked.ts";

/** The PATH of a service. Source: systemd.exec(5). */
const SERVICE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The path of `program` for a service; null where there is none. */
export const findProgram = (program: string): string | null =>
  program.startsWith("/") ? program : Bun.which(program, { PATH: SERVICE_PATH });

/** A path that this process may not look at counts as existing. */
export function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES";
  }
}

interface Absence {
  readonly message: string;
  readonly hint: string;
}

function absence({ need }: Ask): Absence | null {
  if (need.kind === "program") {
    // A relative path begins at the folder where the program runs. An absolute path has an ask of its own.
    if (need.name.includes("/") || findProgram(need.name) !== null) return null;
    return {
      message: `there is no program \`${need.name}\` in ${SERVICE_PATH}`,
      hint: `install \`${need.name}\`, or correct the config`,
    };
  }
  // A class of devices, such as char-drm, is no path.
  if ((need.kind !== "path" && need.kind !== "device") || !need.path.startsWith("/") || exists(need.path)) return null;
  const hint = need.kind === "device" ? "attach it, or correct the config" : "make it, or correct the config";
  return { message: `there is no ${need.path}`, hint };
}

/** The place of the option or word that causes the need. */
function placeOf({ who, because }: Ask, reflexes: readonly ReflexConfig[], { withPart, reflexPart }: Parts) {
  const [, kind, name = ""] = /^(sense|workflow|reflex):(.*)$/.exec(who) ?? [];
  if (kind === "reflex") {
    const reflex = reflexes.find((one) => one.name === name);
    const part = reflex === undefined ? null : reflexPart(reflex, "watch", "");
    return part === null ? {} : part.tree.place;
  }
  const option = /its `(\w+)`$/.exec(because)?.[1] ?? "";
  const path = option === "command" ? "command[0]" : option;
  const part = kind === undefined ? null : withPart(kind as "sense" | "workflow", name, path);
  return part === null ? {} : part.tree.place;
}

/** A problem for each ask whose thing is missing. */
export function absences({ asks, config }: AskedConfig, parts: Parts): Problem[] {
  return asks.flatMap((ask) => {
    const found = absence(ask);
    if (found === null) return [];
    return [
      {
        ...problem("host-absent", `${ask.who}: ${found.message}`, found.hint),
        ...placeOf(ask, config.reflexes, parts),
      },
    ];
  });
}
