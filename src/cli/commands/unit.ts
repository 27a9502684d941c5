/** `nerve unit`: the systemd unit for this executable and this config. */

import { realpathSync } from "node:fs";
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { defineCommand, text } from "../frame/command.ts";
import { EXIT, usageError } from "../frame/outcome.ts";
import { loadConfig } from "../place/place.ts";
import { print } from "../screen/terminal.ts";
import { breaksLines, systemdUnit } from "../unit/systemd-unit.ts";

/** What systemd takes for a user. Source: systemd's documentation of user and group name syntax. */
const USER = /^[a-zA-Z_][a-zA-Z0-9_-]{0,30}$|^\d+$/;

const real = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
};

/** From source it is Bun with the entry file. */
const ownCommand = (): string[] => {
  const entry = Bun.isStandaloneExecutable ? [] : [Bun.fileURLToPath(new URL("../../main.ts", import.meta.url))];
  return [real(process.execPath), ...entry];
};

export const command = defineCommand({
  details:
    "Data under /var/lib becomes a StateDirectory, which systemd makes; data elsewhere must be made by hand (the unit\nsays how). Nothing is installed: the text goes to stdout.",
  arguments: [],
  options: { user: text("NAME", "the user (and group) it runs as (default nerve)", "u") },
  examples: [
    ["nerve unit -c /etc/nerve/nerve.yaml > /etc/systemd/system/nerve.service", "install it"],
    ["nerve unit | systemd-analyze security --offline=true /dev/stdin", "how exposed it is"],
  ],
  async run({ options, config: given, json }) {
    const user = options.user ?? "nerve";
    if (!USER.test(user)) return usageError(`\`--user\` takes a user's name or number, not \`${user}\``);
    const config = loadConfig(given);
    if (!config.ok) return config;
    const parts = { command: ownCommand(), config: real(config.value.file), data: real(config.value.data), user };
    const bad = [...parts.command, parts.config, parts.data].find(breaksLines);
    if (bad !== undefined) return usageError(`a systemd unit cannot hold the path ${JSON.stringify(bad)}`, "rename it");
    const unit = systemdUnit(parts);
    print(json ? safeJson({ ...parts, unit }) : unit);
    return ok(EXIT.done);
  },
});
