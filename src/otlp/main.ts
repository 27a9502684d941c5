/**
 * Owns the process that sends by OTLP from its first message to its last. The kernel commits how far each kind has come; this process may be
 * killed at any moment, and the next one goes on from what is committed.
 */
import { clipLine } from "../base/row-limiter.ts";
import type { OtlpMessage, OtlpParentMessage, OtlpParentMessageOf } from "../ipc/otlp-definitions.ts";
import { parseOtlpParentMessage } from "../ipc/parse-aside.ts";
import type { OtlpKind } from "../model/otlp.ts";
import { VERSION } from "../version.ts";
import { type Channel, openChannel } from "../worker/channel.ts";
import { enterWorker } from "../worker/entry.ts";
import { inbox } from "../worker/inbox.ts";
import type { Sender } from "./attributes.ts";
import { Course, type Parcel, type Step } from "./course.ts";
import { logsRequest } from "./logs.ts";
import { metricsRequest } from "./metrics.ts";
import { post, type Receiver } from "./post.ts";
import { Rows, type Slice } from "./rows.ts";
import { spansRequest } from "./spans.ts";

type Report = {
  [Type in OtlpMessage["type"]]: Omit<Extract<OtlpMessage, { type: Type }>, "generation">;
}[OtlpMessage["type"]];

class OtlpProcess {
  readonly #channel: Channel<OtlpMessage>;
  /** Who waits for the commit of the last step of a kind. */
  readonly #keeping = new Map<OtlpKind, () => void>();
  #generation = 1;

  constructor() {
    const refuse = (what: string): void => this.complain(`the kernel sent ${what}`, null);
    this.#channel = openChannel<OtlpMessage>(
      inbox(parseOtlpParentMessage, (message) => this.#receive(message), refuse),
    );
  }

  complain(message: string, stack: string | null): void {
    this.#tell({ type: "error", message: clipLine(message), stack: stack === null ? null : clipLine(stack) });
  }

  #tell(message: Report): void {
    this.#channel.post({ ...message, generation: this.#generation } as OtlpMessage);
  }

  #receive(message: OtlpParentMessage): void {
    switch (message.type) {
      case "init":
        this.#begin(message);
        return;
      case "kept":
        this.#isKept(message.kind);
        return;
      case "shutdown":
        // What is under way is sent again by the next process.
        this.#channel.leave({ type: "bye", generation: this.#generation });
        return;
    }
  }

  #begin(init: OtlpParentMessageOf<"init">): void {
    const { generation, data, host, epoch, endpoint, headers, everyMs, cursors } = init;
    this.#generation = generation;
    const opened = Rows.open(data);
    if (!opened.ok) {
      return this.#channel.leave({ type: "error", generation, message: opened.error.message, stack: null });
    }
    const receiver: Receiver = { endpoint, headers, version: VERSION };
    const sender: Sender = { host, epoch, version: VERSION };
    this.#tell({ type: "ready" });
    for (const { kind, upto } of cursors) {
      const course = new Course({
        upto,
        everyMs,
        read: (above, most) => parcelOf(kind, init, opened.value, sender, above, most),
        send: (body) => post(kind, body, receiver),
        link: (link) => this.#tell({ type: "link", kind, ...link }),
        step: (step) => this.#steps(kind, step),
        wait: (ms) => Bun.sleep(ms),
        random: Math.random,
      });
      course.run().catch((error: Error) => {
        this.#channel.leave({
          type: "error",
          generation,
          message: clipLine(error.message),
          stack: error.stack ?? null,
        });
      });
    }
  }

  #steps(kind: OtlpKind, step: Step): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#keeping.set(kind, resolve);
    this.#tell({ type: "step", kind, ...step });
    return promise;
  }

  #isKept(kind: OtlpKind): void {
    const goOn = this.#keeping.get(kind);
    this.#keeping.delete(kind);
    goOn?.();
  }
}

function parcelOf(
  kind: OtlpKind,
  { signals, logs }: OtlpParentMessageOf<"init">,
  rows: Rows,
  sender: Sender,
  above: number,
  most: number,
): Parcel {
  switch (kind) {
    case "signals": {
      const slice = rows.signals(above, most, signals);
      return parcel(slice, metricsRequest(slice.rows, sender));
    }
    case "logs": {
      const slice = rows.logs(above, most, logs ?? "error");
      return parcel(slice, logsRequest(slice.rows, sender));
    }
    case "runs": {
      const slice = rows.ended(above, most);
      return parcel(slice, spansRequest(slice.rows, sender));
    }
  }
}

const parcel = (
  { rows, upto, lost, isFull }: Slice<unknown>,
  request: { body: Uint8Array; items: number },
): Parcel => ({
  body: request.items === 0 ? null : request.body,
  items: request.items,
  rows: rows.length,
  upto,
  lost,
  isFull,
});

/** Entry of the hidden role. */
export function runOtlp(kernelPid: number): void {
  const otlp = new OtlpProcess();
  enterWorker(kernelPid, (message, stack) => otlp.complain(message, stack));
}
