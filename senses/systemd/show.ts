/** The output of `systemctl show`: for each unit lines of `NAME=VALUE`, and an empty line between two units. */

export interface Unit {
  readonly unit: string;
  /** False for a unit that is named and that there is none of. */
  readonly loaded: boolean;
  /** `active`, `inactive`, `failed`, `activating` … */
  readonly state: string;
  /** `running`, `exited`, `dead`, `auto-restart` … */
  readonly sub: string;
  /** `success`, `exit-code`, `signal`, `oom-kill`, `timeout` … */
  readonly result: string;
  /** The exit code or signal of the main process; null for what is no service. */
  readonly exit_status: number | null;
  /** How often systemd started the service again since somebody started it; null for what is no service. */
  readonly restarts: number | null;
  /** Unix milliseconds of the last change of its state; null where there was none since the boot. */
  readonly since: number | null;
  readonly memory_bytes: number | null;
  readonly cpu_seconds: number | null;
  /** Of a timer; null for what is none. */
  readonly timer: Timer | null;
}

export interface Timer {
  readonly triggers: string;
  /** Unix milliseconds; null where the timer counts from another moment, and where the unit runs. */
  readonly next: number | null;
  /** Unix milliseconds; null where it was never due. */
  readonly last: number | null;
}

export const PROPERTIES = [
  "Id",
  "LoadState",
  "ActiveState",
  "SubState",
  "Result",
  "ExecMainStatus",
  "NRestarts",
  "StateChangeTimestamp",
  "MemoryCurrent",
  "CPUUsageNSec",
  "Triggers",
  "LastTriggerUSec",
  "NextElapseUSecRealtime",
] as const;

type Property = (typeof PROPERTIES)[number];

export function parseShow(text: string): readonly Unit[] {
  const units = text.split(/\n\n+/).map(propertiesOf);
  return units.filter(({ Id = "" }) => Id !== "").map(unitOf);
}

type Properties = Readonly<{ [Name in Property]: string | undefined }>;

const propertiesOf = (block: string): Properties =>
  Object.fromEntries(
    block.split("\n").flatMap((line): [string, string][] => {
      const at = line.indexOf("=");
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  ) as Properties;

function unitOf(found: Properties): Unit {
  const isTimer = found.NextElapseUSecRealtime !== undefined;
  const cpu = countOf(found.CPUUsageNSec);
  return {
    unit: found.Id ?? "",
    loaded: found.LoadState !== "not-found",
    state: found.ActiveState ?? "",
    sub: found.SubState ?? "",
    result: found.Result ?? "",
    exit_status: countOf(found.ExecMainStatus),
    restarts: countOf(found.NRestarts),
    since: timeOf(found.StateChangeTimestamp),
    memory_bytes: countOf(found.MemoryCurrent),
    cpu_seconds: cpu === null ? null : Math.round(cpu / 1e6) / 1000,
    timer: isTimer
      ? {
          triggers: found.Triggers ?? "",
          next: timeOf(found.NextElapseUSecRealtime),
          last: timeOf(found.LastTriggerUSec),
        }
      : null,
  };
}

/** Null for `[not set]`, and for the highest number, by which older versions say the same. */
function countOf(text: string | undefined): number | null {
  const count = /^\d+$/.test(text ?? "") ? Number(text) : null;
  return count === null || count > Number.MAX_SAFE_INTEGER ? null : count;
}

/** `Sat 2026-11-28 17:52:49 UTC`; null for what is empty, `n/a` or 0. */
function timeOf(text: string | undefined): number | null {
  const [, day, time] = /^\w+ (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? UTC$/.exec(text ?? "") ?? [];
  return day === undefined ? null : Date.parse(`${day}T${time}Z`);
}
