/** Where nerve's executable, config and data lie, links resolved: what a unit names. */
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

/** From source it is Bun with the entry file. */
const ownCommand = (): string[] => {
  const entry = Bun.isStandaloneExecutable ? [] : [Bun.fileURLToPath(new URL("../../main.ts", import.meta.url))];
  return [real(process.execPath), ...entry];
};

export const placesOf = ({ file, data }: NerveConfig): UnitPlaces => ({
  command: ownCommand(),
  config: real(file),
  data: real(data),
});
