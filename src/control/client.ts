/** Asks a running kernel over its control socket. */
import { err, ok, type Result } from "../base/result.ts";
import type { Problem } from "../model/problem.ts";
import type { Refusal } from "./contract.ts";
import { socketPath } from "./socket-path.ts";

export type ControlFailure =
  | { readonly kind: "unreachable"; readonly problem: Problem }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

const PATIENCE_MS = 60_000;

/** `body` null asks with GET, else POSTs it. */
export async function askKernel<T>(
  data: string,
  path: string,
  body: object | null,
): Promise<Result<T, ControlFailure>> {
  try {
    const response = await fetch(`http://nerve${path}`, {
      unix: socketPath(data),
      signal: AbortSignal.timeout(PATIENCE_MS),
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
