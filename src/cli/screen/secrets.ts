/** Owns the values that this process must not show: the secrets of the configuration that it has read. */
import { Secrets } from "../../base/secrets.ts";

export const SECRETS = new Secrets();
