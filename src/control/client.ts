/** Asks a running kernel over its control socket. */
import { err, ok, type Result } from "../base/result.ts";
import type { Problem } from "../model/problem.ts";
import type { Refusal } from "./contract.ts";
import { socketPath } from "./socket-path.ts";

export type ControlFailure =
  | { readonly kind: "unreachable"; readonly problem: Problem }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

const PATIENCE_MS = 60_000;
/** Years of logs are moved before it answers. */
const ARCHIVE_PATIENCE_MS = 24 * 3_600_000;

/** `body` null asks with GET, else POSTs it. */
export async function askKernel<T>(
  data: string,
  path: string,
  body: object | null,
): Promise<Result<T, ControlFailure>> {
  try {
    const response = await fetch(`http://nerve${path}`, {
      unix: socketPath(data),
      signal: AbortSignal.timeout(path === "/archive" ? ARCHIVE_PATIENCE_MS : PATIENCE_MS),
      // The runtime's own limit of five minutes, which its types do not know here.
      ...({ timeout: false } as object),
      ...(body === null ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    return response.ok ? ok(answer as T) : err({ kind: "refused", problems: (answer as Refusal).problems });
  } catch (error) {
    const problem: Problem = {
      kind: "unreachable",
      message: `no nerve daemon answers on ${data}`,
      hint: `is it running? (${(error as Error).message})`,
      file: null,
      line: null,
      column: null,
    };
    return err({ kind: "unreachable", problem });
  }
}
