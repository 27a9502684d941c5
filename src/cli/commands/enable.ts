/** `nerve enable`: switches a sense or a reflex on again. */
import { switchCommand } from "./switch.ts";

export const command = switchCommand("enable", {
  details: "A bare name is the sense if there is one, else the reflex. Kept across restarts.",
  example: "the sense takes triggers again",
});
