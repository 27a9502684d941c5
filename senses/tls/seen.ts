import type { Certificate } from "nerve/certificates";

/** What was found at a server or in a file. */
export interface Seen {
  readonly certificate: Certificate | null;
  /** How many certificates belong together; null where none was seen. */
  readonly chain: number | null;
  /** Null where no server was asked. */
  readonly protocol: string | null;
  /** Empty where all is well. */
  readonly problems: readonly string[];
}
