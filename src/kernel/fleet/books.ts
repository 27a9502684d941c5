/** Owns the port between the fleet process and what the kernel commits of the fleet. */
import type { FleetMessageOf, FleetParentMessageOf } from "../../ipc/fleet-definitions.ts";
import type { StreamRoom } from "../../model/stream-room.ts";

type Init = FleetParentMessageOf<"init">;
type Said<Type extends "link" | "batch" | "behind" | "forwarded"> = Omit<FleetMessageOf<Type>, "type" | "generation">;

export type Link = Said<"link">;
export type Batch = Pick<Said<"batch">, "place" | "frames">;
export type Forwarded = Said<"forwarded">;
export type BehindReport = Said<"behind">;
export type NoticeKind = FleetMessageOf<"notice">["kind"];

export interface FleetBooks {
  /** What is committed: a fleet process begins with it. */
  beginning(): Pick<
    Init,
    "host" | "epoch" | "epochFrom" | "startedAt" | "firstStartedAt" | "cursor" | "place" | "takenAt" | "origins"
  >;
  /** Commits a step of the cursor; calls `kept` after the commit. */
  forwarded(step: Forwarded, kept: () => void): void;
  /** Commits a batch as one; calls `stored` after the commit. */
  take(batch: Batch, stored: () => void): void;
  link(link: Link): void;
  /** Frames that wait in the stream; null: nobody knows. */
  waiting(pending: number | null): void;
  /** This host is behind, and has looked who lives. */
  behind(report: BehindReport): void;
  /** How full the stream is. */
  room(room: StreamRoom): void;
  notice(kind: NoticeKind, message: string): void;
  /** The process is gone: neither side is connected. */
  gone(): void;
}
