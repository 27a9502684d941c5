/** Owns the paths of nerve's executable, config and data for a unit, with links resolved. */
import { realpathSync } from "node:fs";
import type { NerveConfig } from "../../model/config.ts";
import type { UnitPlaces } from "./openings.ts";

const real = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
};

/** From source the command is Bun with the entry file. */
const ownCommand = (): string[] => {
  const entry = Bun.isStandaloneExecutable ? [] : [Bun.fileURLToPath(new URL("../../main.ts", import.meta.url))];
  return [real(process.execPath), ...entry];
};

export const placesOf = ({ file, data }: NerveConfig): UnitPlaces => ({
  command: ownCommand(),
  config: real(file),
  data: real(data),
});
