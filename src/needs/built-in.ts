/**
 * What built-in senses and workflows need of the host, by their options. Data and pure functions: the code of no sense or
 * workflow is loaded. Options come as they stand in nerve.yaml; what is malformed is the module's to refuse.
 */
import { isIP } from "node:net";
import type { BuiltInSenseName } from "../../senses/names.ts";
import type { Json, JsonObject } from "../base/json.ts";
import type { ChannelConfig } from "../model/channel.ts";
import { type Needs, NO_NEEDS } from "../model/needs.ts";
import type { BuiltInWorkflowName } from "../workflows/names.ts";

export interface BuiltInNeeds {
  readonly needs: Needs;
  /** What the needs follow from, for a person; null where there are none. */
  readonly because: string | null;
}

/** `isSecret`: what must not be written into a unit. */
type Of = (options: JsonObject, isSecret: (text: string) => boolean) => BuiltInNeeds;

const nothing: Of = () => ({ needs: NO_NEEDS, because: null });

const path: Of = ({ path: given = "/" }) => {
  if (typeof given !== "string" || !given.startsWith("/")) return { needs: NO_NEEDS, because: null };
  return { needs: { ...NO_NEEDS, paths: [{ path: given, access: "read" }] }, because: "its `path`" };
};

const isText = (value: Json | undefined): value is string => typeof value === "string";

/** A command with a PATH of its own is looked for elsewhere. */
const hasOwnPath = (env: Json | undefined): boolean =>
  typeof env === "object" && env !== null && !Array.isArray(env) && Object.hasOwn(env, "PATH");

const command: Of = ({ command: words, cwd, env }) => {
  const program =
    Array.isArray(words) && words.every(isText) && words.length > 0 && !hasOwnPath(env) ? [words as string[]] : [];
  const paths = isText(cwd) && cwd.startsWith("/") ? [{ path: cwd, access: "read" } as const] : [];
  return { needs: { ...NO_NEEDS, programs: program, paths }, because: "its `command`" };
};

const LOOPBACK = /^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** A host by name may have any address, and asking for it reaches a name server. Null: this host itself. */
function addressOf(host: string | null, isHidden: boolean): string | null {
  if (host !== null && LOOPBACK.test(host)) return null;
  const bare = host?.replace(/^\[|\]$/g, "") ?? "";
  return isIP(bare) !== 0 && !isHidden ? bare : "any";
}

const reaching = (address: string | null, because: string): BuiltInNeeds =>
  address === null ? { needs: NO_NEEDS, because: null } : { needs: { ...NO_NEEDS, network: [address] }, because };

const hostOf = (given: Json | undefined): string | null =>
  isText(given) && URL.canParse(given) ? new URL(given).hostname : null;

const url: Of = ({ url: given }, isSecret) =>
  reaching(addressOf(hostOf(given), isText(given) && isSecret(given)), "its `url`");

const host: Of = ({ host: given }, isSecret) =>
  isText(given) ? reaching(addressOf(urlHost(given), isSecret(given)), "its `host`") : nothing({}, isSecret);

const urlHost = (given: string): string => (given.includes(":") ? `[${given}]` : given);

/** A certificate of a server, or one in a file. */
const certificate: Of = (options, isSecret) => {
  const { file } = options;
  if (!isText(file)) return host(options, isSecret);
  return file.startsWith("/")
    ? { needs: { ...NO_NEEDS, paths: [{ path: file, access: "read" }] }, because: "its `file`" }
    : nothing({}, isSecret);
};

/** Docker's socket belongs to the group `docker`; one that is named may be anybody's. */
const engine: Of = ({ socket = null }) => {
  if (socket === null) return { needs: { ...NO_NEEDS, groups: ["docker"] }, because: "docker's socket" };
  if (!isText(socket)) return { needs: NO_NEEDS, because: null };
  const groups = socket.endsWith("/docker.sock") ? ["docker"] : [];
  return { needs: { ...NO_NEEDS, groups, paths: [{ path: socket, access: "write" }] }, because: "its `socket`" };
};

/** The reason of a need for a folder whose names are read. */
export const FOLDER_OF_PATH = "the folder of its `path`";

/** The folder in which files come and go: that of the first name with a `*`, or of the file. */
const folderOfPath: Of = ({ path: given }) => {
  if (!isText(given) || !given.startsWith("/")) return { needs: NO_NEEDS, because: null };
  const names = given.split("/");
  const first = names.findIndex((name) => name.includes("*"));
  const folder = names.slice(0, first < 0 ? -1 : first).join("/") || "/";
  return { needs: { ...NO_NEEDS, paths: [{ path: folder, access: "read" }] }, because: FOLDER_OF_PATH };
};

const JOURNAL: Needs = { ...NO_NEEDS, programs: [["journalctl"]] };

/** The journal of the host is for a group; a file is for whoever may read it. */
const journalOf: Of = ({ file = null }) => {
  if (file === null) return { needs: JOURNAL, because: "what it runs" };
  return isText(file) && file.startsWith("/")
    ? {
        needs: { ...NO_NEEDS, programs: [["journalctl", "--file"]], paths: [{ path: file, access: "read" }] },
        because: "its `file`",
      }
    : nothing({}, () => false);
};

/** What an address needs: its server. */
export const needsOfAddress = (address: string, isSecret: (text: string) => boolean): BuiltInNeeds =>
  url({ url: address }, isSecret);

/** What a channel needs: its server. */
export function needsOfChannel(channel: ChannelConfig, isSecret: (text: string) => boolean): BuiltInNeeds {
  if (channel.kind === "webhook") return url(channel.options, isSecret);
  if (channel.kind !== "smtp") return url({ url: channel.url }, isSecret);
  return reaching(addressOf(urlHost(channel.host), isSecret(channel.host)), "its `host`");
}

export const SENSE_NEEDS: Readonly<Record<BuiltInSenseName, Of>> = {
  "cpu-usage": nothing,
  memory: nothing,
  load: nothing,
  "disk-usage": path,
  "disk-io": nothing,
  "network-io": nothing,
  processes: nothing,
  pressure: nothing,
  "host-health": nothing,
  nerve: nothing,
  exec: command,
  http: url,
  tcp: host,
  tls: certificate,
  systemd: () => ({ needs: { ...NO_NEEDS, programs: [["systemctl", "show"]] }, because: "what it runs" }),
  docker: engine,
  disks: nothing,
  "file-age": folderOfPath,
  tail: folderOfPath,
  journal: journalOf,
  push: nothing,
  heartbeat: nothing,
};

export const WORKFLOW_NEEDS: Readonly<Record<BuiltInWorkflowName, Of>> = {
  exec: command,
  webhook: url,
  notify: nothing,
};
