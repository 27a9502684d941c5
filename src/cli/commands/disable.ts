/** Owns `nerve disable`: switches a sense or a reflex off, until a person enables it. */
import { switchCommand } from "./switch.ts";

export const command = switchCommand("disable", {
  details:
    "A bare name is the sense if there is one, else the reflex. Kept across restarts. A disabled sense starts no compute\nby any trigger (one under way counts); a disabled reflex looks at nothing, and what it remembered is cleared. A\nworkflow cannot be disabled: disable the reflexes that start it, or silence them for a while.",
  example: "no trigger starts it from now on",
});
