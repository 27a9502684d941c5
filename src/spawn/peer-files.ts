/** Where the senses' databases lie, and how a worker is told of them. */
import { join } from "node:path";
import type { ParentMessageOf } from "../ipc/definitions.ts";

/** Name and file of each, as the messages `init` and `peers` hold them. */
export type PeerFiles = ParentMessageOf<"peers">["peers"];

export const senseDatabase = (data: string, sense: string): string => join(data, "senses", `${sense}.db`);

export const peerFiles = (data: string, senses: Iterable<string>): PeerFiles =>
  [...senses].map((name) => ({ name, database: senseDatabase(data, name) }));
