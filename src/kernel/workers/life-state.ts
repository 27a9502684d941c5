/**
 * The states of a worker's life.
 *
 * | state | |
 * |---|---|
 * | `starting` | its process runs, and loads the modules |
 * | `up` | it takes work |
 * | `backoff` | there is no process: the next one waits for its turn, or for something to do |
 * | `stuck` | it was killed and is not gone; nothing is started in its place |
 */
export type LifeState = "starting" | "up" | "backoff" | "stuck";

/** `retire`: another may follow. `stop`: none does. */
export type Leaving = "retire" | "stop";
