/** Which servers are fit to keep frames: what an older one cannot do is said, and the older one is used. */
import type { ServerInfo } from "@nats-io/transport-node";

const numbersOf = (version: string): readonly number[] => version.split(/[.-]/).slice(0, 3).map(Number);

function isBefore(version: string, other: readonly number[]): boolean {
  const own = numbersOf(version);
  for (const [at, number] of other.entries()) if (own[at] !== number) return (own[at] ?? 0) < number;
  return false;
}

/** What is wrong with the server, or null. */
export function concernOf(server: string, info: ServerInfo | null): string | null {
  if (info === null) return null;
  const { version } = info;
  if (isBefore(version, [2, 9, 0])) return `${server} is nats-server ${version}: nerve needs 2.9 or newer`;
  if (isBefore(version, [2, 10, 0]))
    return `${server} is nats-server ${version}, which has no \`sync_interval\`: when its machine loses power, frames of up to two minutes can be lost; each host sends its own again, as far as its retention reaches`;
  if (isBefore(version, [2, 10, 23]))
    return `${server} is nats-server ${version}, which can lose a whole stream when it is killed: 2.10.23 and newer do not`;
  return null;
}
