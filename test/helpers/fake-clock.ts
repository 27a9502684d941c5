/** The kernel's wall clock as someone sets it, by libfaketime. Its boot clock, and its workers, have the real time. */
import { existsSync } from "node:fs";
import type { Project } from "./nerve.ts";

const LIBRARY = ["x86_64-linux-gnu/", "aarch64-linux-gnu/", ""]
  .map((where) => `/usr/lib/${where}faketime/libfaketimeMT.so.1`)
  .find((file) => existsSync(file));

export const hasFaketime = LIBRARY !== undefined;

export const DAY_MS = 86_400_000;

/** It is off by what `set` was given last. */
export function fakeClock(folder: Project) {
  let offset = 0;
  const set = (offsetMs: number): void => {
    offset = offsetMs;
    folder.write("clock", `${offsetMs < 0 ? "-" : "+"}${(Math.abs(offsetMs) / 1000).toFixed(3)}\n`);
  };
  set(0);
  return {
    set,
    /** What it was set to last. */
    offset: (): number => offset,
    /** The clock shows this instant from now on. */
    show: (at: number): void => set(at - Date.now()),
    environment: {
      LD_PRELOAD: LIBRARY ?? "",
      FAKETIME_TIMESTAMP_FILE: `${folder.path}/clock`,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      TZ: "UTC",
    },
  };
}
