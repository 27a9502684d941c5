/** By what the steps and sleeps of a run are known. */

/** The nth call of a step of that name, from 0. */
export interface StepPlace {
  readonly step: string;
  readonly nth: number;
}

/** The nth sleep of that duration (as written) and name, from 0. */
export interface SleepPlace {
  readonly duration: string;
  readonly name: string | null;
  readonly nth: number;
}

/** As earlier versions recorded a sleep: the nth of the run, whatever its duration. */
export interface CountedSleep {
  readonly nth: number;
}
