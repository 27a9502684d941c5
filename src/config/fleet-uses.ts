// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax of nerve.yaml
/** Owns the warnings on a fleet: what is allowed, and that nothing would ever come of. */
import { matches } from "../base/glob.ts";
import type { NerveConfig } from "../model/config.ts";
import { type FleetConfig, PRESENCE, receivedBy } from "../model/fleet.ts";
import { isRemote } from "../model/full-name.ts";
import type { Report } from "./report.ts";
import { isStandIn } from "./source.ts";
import { entryOf, isEmpty, type MapTree, shown, type Tree } from "./tree.ts";

export function warnOfFleet(root: MapTree, config: NerveConfig, report: Report): void {
  const { fleet, reflexes } = config;
  if (fleet === null) return warnOfAlone(root, config, report);
  const section = root.entries.find(({ key }) => key === "fleet");
  if (section === undefined) return;
  const sent = entryOf(section.value, "send");
  const items: readonly Tree[] = sent?.kind === "list" ? sent.items : [];
  for (const item of items) {
    if (item.kind !== "scalar" || [...config.senses.keys()].some((name) => matches(item.text, name))) continue;
    const message = `\`fleet.send\` names ${shown(item.written)}, and there is no such sense: nothing of it leaves`;
    report.warn("unknown-sense", item.place, message, `defined are ${[...config.senses.keys()].map(shown).join(", ")}`);
  }
  if (config.senses.has(PRESENCE) && fleet.send.some((pattern) => matches(pattern, PRESENCE))) {
    const message = `other hosts pass over signals of the sense \`${PRESENCE}\`: it is what they call the presence of a host`;
    report.warn("reserved-name", section.keyPlace, message, "give the sense another name");
  }
  if (fleet.send.length === 0 && receivedBy(fleet, reflexes).length === 0) {
    const message = "`fleet` neither sends nor receives anything";
    report.warn("unused-fleet", section.keyPlace, message, "add `send: [SENSE]`, or `receive: [HOST/SENSE]`");
  }
  warnOfAccess(section.value, fleet, report);
  if (config.host === "localhost") {
    const message = "`fleet` joins hosts by their names, and this one is called localhost";
    report.warn("host-name", section.keyPlace, message, "add `host: NAME`, a name that no other host has");
  }
}

function warnOfAccess(section: Tree, { servers, nkey, creds, cert }: FleetConfig, report: Report): void {
  const away = servers.find((server) => server.startsWith("tls:"));
  if (away !== undefined && nkey === null && creds === null && cert === null) {
    const message = `\`fleet\` has neither \`nkey\` nor \`creds\`: a server that asks who connects does not accept this host`;
    report.warn("no-key", section.place, message, "`nerve fleet key` makes a pair; add nkey: ${credential:nerve-nkey}");
  }
  const seed = entryOf(section, "nkey");
  if (seed?.kind === "scalar" && !seed.filled && !isEmpty(seed)) {
    const message = "`fleet.nkey` is written in clear: who reads this file can send as this host";
    const hint =
      "write ${credential:NAME} or ${VAR}, and give the seed to the daemon alone; make another pair where others have read it";
    report.warn("clear-secret", seed.place, message, hint);
  }
  if (away !== undefined || servers.some(isStandIn)) return;
  for (const name of ["ca", "cert", "key"]) {
    const written = entryOf(section, name);
    if (written === null) continue;
    const message = `\`fleet.${name}\` is used over TLS alone, and no address in \`fleet.servers\` begins with tls://`;
    report.warn("no-tls", written.place, message, `write tls:// where the server speaks TLS, or remove \`${name}\``);
  }
}

function warnOfAlone(root: MapTree, { reflexes }: NerveConfig, report: Report): void {
  const reflex = reflexes.find(({ on }) => on.some(isRemote));
  const place = root.entries.find(({ key }) => key === "reflexes")?.value.place;
  if (reflex === undefined || place === undefined) return;
  const message = `the reflex ${shown(reflex.name)} looks at ${shown(reflex.on.find(isRemote) ?? "")}, and no \`fleet\` brings signals of other hosts`;
  report.warn("no-fleet", place, message, "add `fleet: { servers: [tls://…] }`");
}
