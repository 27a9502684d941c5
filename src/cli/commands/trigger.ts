/** Owns `nerve trigger`: the former name of `nerve run`. A bare name is first the name of a sense. */
import { runCommand } from "./run.ts";

export const command = runCommand("sense");
