/** `nerve trigger`: the former name of `nerve run`, of a sense first. */
import { runCommand } from "./run.ts";

export const command = runCommand("sense");
