/**
 * Signals that come before a process knows what it is: they are held from its first line on, so that none ends a daemon that
 * has not loaded its own handlers yet. Whoever is no daemon lets them through.
 */
const HELD = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

export type HeldSignal = (typeof HELD)[number];

let came: HeldSignal[] = [];
const hold = (signal: NodeJS.Signals): void => void came.push(signal as HeldSignal);

/** Call it first of all. */
export function holdSignals(): void {
  for (const signal of HELD) process.on(signal, hold);
}

/** Gives `obey` what has come and what comes. */
export function obeySignals(obey: (signal: HeldSignal) => void): void {
  for (const signal of HELD) {
    process.on(signal, () => obey(signal));
    process.off(signal, hold);
  }
  const held = came;
  came = [];
  for (const signal of held) obey(signal);
}

/** They do what they do by default, and so does one that has come. */
export function letSignals(): void {
  for (const signal of HELD) process.off(signal, hold);
  for (const signal of came) process.kill(process.pid, signal);
}
