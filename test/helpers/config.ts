/** Configurations as the parser makes them, where a test cares for some keys only: a new key touches this file alone. */
import { type ConfigSource, NOTHING_AROUND } from "../../src/config/parse.ts";

/** A text with some of what can be around it. */
export const around = (some: Partial<ConfigSource>): ConfigSource => ({ ...NOTHING_AROUND, ...some });
