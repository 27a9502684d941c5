/**
 * Owns the states of a worker's life.
 *
 * | state | |
 * |---|---|
 * | `starting` | the process runs, and loads the modules |
 * | `up` | the worker takes work |
 * | `backoff` | there is no process: the next one waits for its turn, or for work |
 * | `stuck` | the process was killed and is not gone; nothing is started in its place |
 */
export type LifeState = "starting" | "up" | "backoff" | "stuck";

/** After `retire` another worker may follow. After `stop` none does. */
export type Leaving = "retire" | "stop";
