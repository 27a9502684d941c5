/**
 * Owns the bodies that are being read: each has a limit and a time, and all together have a budget, so that slow and large requests
 * cost a bounded amount of memory.
 */

export type BodyRead =
  | { readonly kind: "whole"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "too-large" | "too-slow" | "broken" };

/** Bytes that may be announced, or held, by all requests together. */
export class Budget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Null where no room is left. */
  take(bytes: number): Disposable | null {
    if (bytes > this.#left) return null;
    this.#left -= bytes;
    return {
      [Symbol.dispose]: () => {
        this.#left += bytes;
      },
    };
  }
}

/** What a request says that its body holds; `limit` where it does not say so. */
export function announced({ headers, body }: Request, limit: number): number {
  if (body === null) return 0;
  const length = headers.get("content-length");
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : limit;
}

/** The whole body, at most `limit` bytes, read until `signal` ends. */
export async function readWhole(request: Request, limit: number, signal: AbortSignal): Promise<BodyRead> {
  // The runtime holds a body to the length that its head announces, and reads it whole with less work.
  if (request.headers.has("content-length") && announced(request, limit) <= limit)
    return readAnnounced(request, signal);
  const pieces: Uint8Array[] = [];
  let size = 0;
  const end = await readPieces(request, signal, (piece) => {
    size += piece.length;
    if (size > limit) return false;
    pieces.push(piece);
    return true;
  });
  if (end === "stopped") return { kind: "too-large" };
  return end === "whole" ? { kind: "whole", bytes: joined(pieces, size) } : { kind: end };
}

async function readAnnounced(request: Request, signal: AbortSignal): Promise<BodyRead> {
  const read = request.arrayBuffer().then(
    (bytes): BodyRead => ({ kind: "whole", bytes: new Uint8Array(bytes) }),
    (): BodyRead => ({ kind: "broken" }),
  );
  return Promise.race([read, ended(signal)]);
}

const ended = (signal: AbortSignal): Promise<{ readonly kind: "too-slow" }> =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve({ kind: "too-slow" }), { once: true });
    if (signal.aborted) resolve({ kind: "too-slow" });
  });

/** The last `limit` bytes of a body of any length, read until `signal` ends. */
export async function readEnd(request: Request, limit: number, signal: AbortSignal): Promise<BodyRead> {
  let kept: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  const end = await readPieces(request, signal, (piece) => {
    kept = joined(
      [kept, piece.subarray(Math.max(0, piece.length - limit))],
      kept.length + Math.min(piece.length, limit),
    );
    kept = kept.slice(Math.max(0, kept.length - limit));
    return true;
  });
  return end === "too-slow" || end === "broken" ? { kind: end } : { kind: "whole", bytes: kept };
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** `take`: false ends the reading. */
async function readPieces(
  request: Request,
  signal: AbortSignal,
  take: (piece: Uint8Array) => boolean,
): Promise<"whole" | "stopped" | "too-slow" | "broken"> {
  if (request.body === null) return "whole";
  const reader = request.body.getReader();
  const late = ended(signal);
  try {
    for (;;) {
      const piece = await Promise.race([reader.read(), late]);
      if ("kind" in piece) return piece.kind;
      if (piece.done) return "whole";
      if (!take(piece.value)) return "stopped";
    }
  } catch {
    return "broken";
  } finally {
    void reader.cancel().catch(() => {});
  }
}
