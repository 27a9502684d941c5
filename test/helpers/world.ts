/** The world as it is, with a clock of the test's own. */
import type { Clock } from "../../src/base/clock.ts";
import type { Alarm } from "../../src/base/timer.ts";
import { realWorld } from "../../src/kernel/host/real-world.ts";
import type { World } from "../../src/kernel/world.ts";

const REAL = realWorld();

export const worldAt = (clock: Clock): World => ({ ...REAL, clock });

/** A clock that always shows `wallMs`, for what asks for nothing else. */
export const worldShowing = (wallMs: () => number): World => ({ ...REAL, clock: { ...REAL.clock, wallMs } });

export const REAL_ALARM: Alarm = REAL.alarm;
