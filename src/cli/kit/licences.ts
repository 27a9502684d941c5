/** Owns the licences of all parts of this executable. */
import { readEmbedded } from "../../base/embedded.ts";

export interface Licence {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly text: string;
}

export const readLicences = async (): Promise<readonly Licence[]> =>
  (await readEmbedded("licences.bin", "licences/licences.ts")) as readonly Licence[];

const RULE = "─".repeat(72);

/** All licences, each under the name of its part. */
export const showLicences = (licences: readonly Licence[]): string =>
  licences
    .map(({ name, version, licence, text }) => `${RULE}\n${name} ${version} · ${licence}\n${RULE}\n\n${text}\n`)
    .join("\n");
