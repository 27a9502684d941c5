/**
 * Owns the messages to systemd: readiness, status text, watchdog. Silent where there is no NOTIFY_SOCKET.
 * Source: sd_notify(3), unix(7).
 */
import { ptr } from "bun:ffi";
import { type Libc, loadLibc, monotonicNs } from "../../base/libc.ts";
import type { ServiceManager } from "../world.ts";

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 0o2000002;
const MSG_NOSIGNAL = 0x4000;

function address(path: string): Uint8Array {
  const name = Buffer.from(path.startsWith("@") ? `\0${path.slice(1)}` : path);
  const bytes = new Uint8Array(2 + name.length + (path.startsWith("@") ? 0 : 1));
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(name, 2);
  return bytes;
}

function sendDatagram(libc: Libc, to: Uint8Array, text: string): void {
  const socket = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (socket < 0) return;
  const bytes = Buffer.from(text);
  libc.sendto(socket, ptr(bytes), bytes.length, MSG_NOSIGNAL, ptr(to), to.length);
  libc.close(socket);
}

export function sdNotify(environment: Readonly<Record<string, string | undefined>>): ServiceManager {
  const path = environment.NOTIFY_SOCKET ?? "";
  const usec = Number(environment.WATCHDOG_USEC);
  const mine = environment.WATCHDOG_PID === undefined || Number(environment.WATCHDOG_PID) === process.pid;
  const watchdogMs = mine && Number.isFinite(usec) && usec > 0 ? usec / 1000 : null;
  const libc = /^[/@]/.test(path) ? loadLibc() : null;
  if (libc === null) return { send() {}, reloading() {}, watchdogMs: null };
  const to = address(path);
  const send = (...assignments: string[]): void => sendDatagram(libc, to, assignments.join("\n"));
  const reloading = (): void => send("RELOADING=1", `MONOTONIC_USEC=${monotonicNs(libc) / 1_000n}`);
  return { send, reloading, watchdogMs };
}
