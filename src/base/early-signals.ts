/**
 * Signals that come before a process knows what it is: they are held from its first line on, so that none ends a daemon that
 * has not loaded its own handlers yet. A process that is no daemon lets them through.
 */
const OBEYED = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"] as const;

export type ObeyedSignal = (typeof OBEYED)[number];

/**
 * They mean nothing to nerve and would end it: whoever rotates logs may send one by habit, and limits of the host send others.
 * Those by which the processor reports a fault (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT) are not among them: no code
 * may go on after a fault. SIGPWR is the runtime's own: it stops threads with it, and a foreign one does nothing.
 */
const STRAY = [
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGVTALRM",
  "SIGPROF",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGIO",
  "SIGSYS",
] as const;

export type StraySignal = (typeof STRAY)[number];

const isObeyed = (signal: string): signal is ObeyedSignal => (OBEYED as readonly string[]).includes(signal);

let came: (ObeyedSignal | StraySignal)[] = [];
const hold = (signal: NodeJS.Signals): void => void came.push(signal as ObeyedSignal | StraySignal);

/** Call it first of all. */
export function holdSignals(): void {
  for (const signal of [...OBEYED, ...STRAY]) process.on(signal, hold);
}

/** Gives `obey` and `stray` what has come and what comes; `stray` gets the first of each kind. */
export function obeySignals(obey: (signal: ObeyedSignal) => void, stray: (signal: StraySignal) => void): void {
  const known = new Set<StraySignal>();
  const take = (signal: ObeyedSignal | StraySignal): void => {
    if (isObeyed(signal)) return obey(signal);
    if (known.has(signal)) return;
    known.add(signal);
    stray(signal);
  };
  for (const signal of [...OBEYED, ...STRAY]) {
    process.on(signal, () => take(signal));
    process.off(signal, hold);
  }
  const held = came;
  came = [];
  for (const signal of held) take(signal);
}

/** For the process of a worker: the kernel alone is stopped by signals, and tells its workers. */
export function ignoreSignals(): void {
  for (const signal of [...OBEYED, ...STRAY]) process.on(signal, () => {});
}

/** They do what they do by default, and so does one that has come. */
export function letSignals(): void {
  for (const signal of [...OBEYED, ...STRAY]) process.off(signal, hold);
  for (const signal of came) process.kill(process.pid, signal);
}
