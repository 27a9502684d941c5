/** Owns the polkit rule that lets nerve's user do what `systemctl` asks for. */
import type { Permission } from "../../needs/programs.ts";

export const POLKIT_FILE = "/etc/polkit-1/rules.d/50-nerve.rules";

const lookup = (key: string, value: string | null): string[] =>
  value === null ? [] : [`action.lookup(${JSON.stringify(key)}) == ${JSON.stringify(value)}`];

/** A user who may start any unit may start a unit made for the purpose, as root. */
const isAsGoodAsRoot = ({ action, verb, unit }: Permission): boolean =>
  action.endsWith(".manage-unit-files") ||
  (action.endsWith(".manage-units") && unit === null && (verb === null || verb === "start"));

const condition = ({ action, verb, unit }: Permission): string =>
  [`action.id == ${JSON.stringify(action)}`, ...lookup("unit", unit), ...lookup("verb", verb)].join(" && ");

export function polkitRule(user: string, permissions: readonly (Permission & { readonly who: string })[]): string[] {
  const byCondition = Map.groupBy(permissions, condition);
  const rules = [...byCondition].flatMap(([test, askers]) => [
    `    // For ${[...new Set(askers.map(({ who }) => who))].join(", ")}:`,
    ...(askers.some(isAsGoodAsRoot)
      ? ["    // THIS IS AS GOOD AS ROOT: a unit made for the purpose runs as root."]
      : []),
    `    if (subject.user == ${JSON.stringify(user)} && ${test}) return polkit.Result.YES;`,
  ]);
  return [
    `\`systemctl\` asks polkit. Write this into ${POLKIT_FILE}:`,
    "  polkit.addRule(function (action, subject) {",
    ...rules,
    "  });",
  ];
}
