/** What this build is. `NERVE_COMMIT` is written in by the build; from source it is unknown. */
import { version } from "../package.json" with { type: "json" };

declare const NERVE_COMMIT: string | undefined;

export const VERSION: string = version;
export const COMMIT: string = typeof NERVE_COMMIT === "string" ? NERVE_COMMIT : "unknown";
