/** `step.id`: the same for every try of a step of a run, for no other, and nothing anyone could guess from outside. */
import { createHash } from "node:crypto";

export const stepId = (trace: string, run: number, name: string, nth: number): string =>
  createHash("sha256").update(`${trace}\0${run}\0${name}\0${nth}`).digest("hex").slice(0, 32);
