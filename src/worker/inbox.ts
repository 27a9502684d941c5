/** The kernel's messages in their order. A worker believes those that are well formed and of its generation, `init` first but for `prepare`. */
import type { Result } from "../base/result.ts";
import type { MalformedMessage } from "../ipc/definitions.ts";

interface Message {
  readonly type: string;
  readonly generation: number;
}

/** What a channel hands each raw message to: `take` gets it, or `refuse` what is wrong with it. */
export function inbox<Received extends Message>(
  parse: (raw: unknown) => Result<Received, MalformedMessage>,
  take: (message: Received) => void,
  refuse: (what: string) => void,
): (raw: unknown) => void {
  let own: number | null = null;
  return (raw) => {
    const parsed = parse(raw);
    if (!parsed.ok) return refuse(parsed.error.what);
    const { type, generation } = parsed.value;
    // Nothing of the work is said in it.
    if (own === null && type === "prepare") return take(parsed.value);
    if (own === null && type !== "init") return refuse(`"${type}" before init`);
    if (own !== null && generation !== own) return refuse(`"${type}" of generation ${generation}`);
    if (own !== null && type === "init") return refuse("a second init");
    own = generation;
    take(parsed.value);
  };
}
