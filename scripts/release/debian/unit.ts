/** The unit of the package: the one that `nerve unit` derives from the config of `nerve init`, with the places of a package. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { starterFiles } from "../../../src/cli/kit/starter.ts";
import { readAsked } from "../../../src/cli/unit/asked.ts";
import { systemdUnit } from "../../../src/cli/unit/systemd-unit.ts";

export const CONFIG = "/etc/nerve/nerve.yaml";
export const DATA = "/var/lib/nerve";

const HEAD = `# The rights that the config of \`nerve init\` needs, and no others. \`nerve check --host -c ${CONFIG}\` says what this
# unit lacks for your config. The unit of your config takes the place of this file:
#   nerve unit -c ${CONFIG} > /etc/systemd/system/nerve.service
#   systemctl daemon-reload && systemctl restart nerve
# Changes of your own belong in a drop-in (systemctl edit nerve).
#
# One unit has one set of rights. What one sense or workflow asks for, every sense, every workflow and every program they
# run may use: a group of nerve.yaml bounds crashes and memory, and is no border for rights.

`;

/** What a package adds: a reader finds the manual, and without a config nothing starts. */
const OF_PACKAGE = `Documentation=man:nerve(1)\nConditionPathExists=${CONFIG}\n`;

export function packagedUnit(): string {
  const folder = mkdtempSync(join(tmpdir(), "nerve-unit-"));
  try {
    for (const [path, text] of Object.entries(starterFiles({ pressure: true, systemd: true }, DATA))) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const asked = readAsked(join(folder, "nerve.yaml"));
    if (!asked.ok) throw new Error(`the config of init has no unit: ${JSON.stringify(asked.error.problems)}`);
    const { asks, remarks, outside } = asked.value;
    const places = { command: ["/usr/bin/nerve"], config: CONFIG, data: DATA };
    const unit = systemdUnit({ ...places, user: "nerve", asks, remarks, outside });
    const body = unit.slice(unit.indexOf("[Unit]\n"));
    return `${HEAD}${body.replace(/^(Description=.*\n)/m, `$1${OF_PACKAGE}`)}\n`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
