/** What this build is. `NERVE_COMMIT` and `NERVE_KIT` are written in by the build; from source they are unknown. */
import { version } from "../package.json" with { type: "json" };

declare const NERVE_COMMIT: string | undefined;
declare const NERVE_KIT: string | undefined;

export const VERSION: string = version;
export const COMMIT: string = typeof NERVE_COMMIT === "string" ? NERVE_COMMIT : "unknown";
/** Identifies the author's kit of this build: the same types have the same id. */
export const KIT: string = typeof NERVE_KIT === "string" ? NERVE_KIT : "unknown";
