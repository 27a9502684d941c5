/** What this process must not show: filled in from the configuration it has read. */
import { Secrets } from "../../base/secrets.ts";

export const SECRETS = new Secrets();
