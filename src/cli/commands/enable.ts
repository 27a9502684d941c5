/** Owns `nerve enable`: switches a sense or a reflex on again. */
import { switchCommand } from "./switch.ts";

export const command = switchCommand("enable", {
  details:
    "A bare name is the sense if there is one, else the reflex. Kept across restarts. A sense whose worker\ndied three times while this sense ran alone is in quarantine for a while: that is lifted, and its strikes are forgotten.",
  example: "the sense takes triggers again",
});
