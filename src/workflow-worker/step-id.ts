/**
 * `step.id`: the same for every try of a step of a run, for no other, and nothing anyone could guess from outside. Most steps
 * never ask for it, so it is made when somebody does.
 */
import { sha256 } from "../base/digest.ts";

export const stepId = (trace: string, run: number, name: string, nth: number): string =>
  sha256(`${trace}\0${run}\0${name}\0${nth}`).slice(0, 32);

export class StepId {
  readonly #make: () => string;
  #value: string | null = null;

  constructor(trace: string, run: number, name: string, nth: number) {
    this.#make = () => stepId(trace, run, name, nth);
  }

  get value(): string {
    this.#value ??= this.#make();
    return this.#value;
  }
}
