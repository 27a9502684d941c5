/**
 * Writes lines to a descriptor without ever waiting for whoever reads it (G15): a paused pager, a log shipper that hangs, a
 * terminal after Ctrl-S. What is not taken waits here, up to a limit; what goes beyond is lost and counted. Lines of one
 * stretch of code leave in one write at its end. Owns the waiting bytes.
 *
 * O_NONBLOCK belongs to the open file, which the terminal's other users share, so a pipe or terminal is opened anew for it;
 * a socket is asked not to wait with each message. A file has no reader. Source: open(2), pipe(7), send(2), poll(2).
 */
import { ptr } from "bun:ffi";
import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { type Libc, loadLibc } from "./libc.ts";
import { isTerminal } from "./terminal.ts";

/** How many bytes the descriptor took now. `null`: it cannot be written to. */
type Sink = (bytes: Uint8Array) => number | null;

const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const POLLOUT = 4;
/** Such a piece fits wherever poll(2) says that something does: a terminal, the smallest of all, takes 256 bytes then. */
const SURE_PIECE = 256;

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? "";

const plain =
  (descriptor: number): Sink =>
  (bytes) => {
    try {
      return writeSync(descriptor, bytes);
    } catch (error) {
      return codeOf(error) === "EAGAIN" ? 0 : null;
    }
  };

const bySocket =
  (libc: Libc, descriptor: number): Sink =>
  (bytes) =>
    Math.max(0, Number(libc.sendto(descriptor, ptr(bytes), bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, null, 0)));

/** For a pipe or terminal of somebody else, which cannot be opened anew. */
function byPiece(libc: Libc, descriptor: number): Sink {
  const write = plain(descriptor);
  const request = new Uint8Array(8);
  const view = new DataView(request.buffer);
  return (bytes) => {
    let taken = 0;
    while (taken < bytes.length) {
      view.setInt32(0, descriptor, true);
      view.setInt16(4, POLLOUT, true);
      if (libc.poll(ptr(request), 1, 0) !== 1) return taken;
      const wrote = write(bytes.subarray(taken, taken + SURE_PIECE));
      if (wrote === null) return null;
      if (wrote === 0) return taken;
      taken += wrote;
    }
    return taken;
  };
}

/** Without the C library there is no way not to wait. */
function withLibc(descriptor: number, sink: (libc: Libc, descriptor: number) => Sink): Sink {
  const libc = loadLibc();
  return libc === null ? plain(descriptor) : sink(libc, descriptor);
}

function openSink(descriptor: number): Sink {
  try {
    const stats = fstatSync(descriptor);
    if (stats.isSocket()) return withLibc(descriptor, bySocket);
    if (!stats.isFIFO() && !isTerminal(descriptor)) return plain(descriptor);
    try {
      return plain(openSync(`/proc/self/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_NOCTTY));
    } catch {
      return withLibc(descriptor, byPiece);
    }
  } catch {
    // It is closed.
    return () => null;
  }
}

/** Bytes that wait for a reader at most. */
const LONGEST_QUEUE = 256 * 1024;
/** A pipe takes so many bytes whole or not at all: nobody else's text comes between them. */
const PIPE_BUF = 4_096;
const RETRY_MS = 50;
const FLUSH_PAUSE_MS = 5;

export class LineWriter {
  readonly #sink: Sink;
  readonly #lostLine: (count: number) => string;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Lines of this stretch of code. Empty while anything waits. */
  #batch = "";
  #lost = 0;
  #retry: ReturnType<typeof setTimeout> | null = null;

  /** `lostLine` says that so many lines were lost, once there is room for saying it. */
  constructor(descriptor: number, lostLine: (count: number) => string) {
    this.#sink = openSink(descriptor);
    this.#lostLine = lostLine;
  }

  write(line: string): void {
    const text = `${line}\n`;
    if (this.#batch.length + text.length > PIPE_BUF) this.#sendBatch();
    if (this.#retry !== null) return this.#enqueue(Buffer.from(text));
    if (this.#batch === "") queueMicrotask(() => this.#sendBatch());
    this.#batch += text;
  }

  #enqueue(line: Uint8Array): void {
    if (this.#waitingBytes + line.length <= LONGEST_QUEUE) this.#push(line);
    else this.#lost++;
  }

  #sendBatch(): void {
    if (this.#pushBatch()) this.#drain();
  }

  /** False: there is none. */
  #pushBatch(): boolean {
    if (this.#batch === "") return false;
    const batch = Buffer.from(this.#batch);
    this.#batch = "";
    this.#push(batch);
    return true;
  }

  /** At the end of the process: gives the reader so long to take what waits. */
  flush(patienceMs: number): void {
    const until = performance.now() + patienceMs;
    this.#pushBatch();
    for (;;) {
      this.#drain();
      if (this.#waitingBytes === 0 || performance.now() >= until) return;
      Bun.sleepSync(FLUSH_PAUSE_MS);
    }
  }

  #push(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  /** Writes what is taken now; for the rest it tries again in a moment. */
  #drain(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    for (let index = 0; ; index++) {
      const bytes = this.#waiting[index];
      if (bytes === undefined) {
        this.#waiting = [];
        if (this.#lost === 0) return;
        const lost = this.#lost;
        this.#lost = 0;
        this.#push(Buffer.from(`${this.#lostLine(lost)}\n`));
        index = -1;
        continue;
      }
      const taken = this.#sink(bytes);
      this.#waitingBytes -= taken ?? bytes.length;
      if (taken === null || taken === bytes.length) continue;
      this.#waiting = [bytes.subarray(taken), ...this.#waiting.slice(index + 1)];
      this.#retry = setTimeout(() => this.#drain(), RETRY_MS);
      // Whoever wants to end does not wait for a reader.
      this.#retry.unref();
      return;
    }
  }
}
