/** Owns the author's kit: declarations, schema and settings for an editor, and for `check`. */

import { readEmbedded } from "../../base/embedded.ts";
import { KIT, VERSION } from "../../version.ts";

/** Path in `.nerve/` → text. */
export type KitFiles = Readonly<Record<string, string>>;

/** The name of this build's kit in `.nerve/version`. */
export const KIT_NAME = `nerve ${VERSION}, kit ${KIT}`;

export const readKit = async (): Promise<KitFiles> => (await readEmbedded("author-kit.bin", "kit/kit.ts")) as KitFiles;
