/**
 * Reads the headers of a message. A server looks at no header that a host writes, and the client throws at many of them, in the middle of
 * what it reads for all: here any bytes are read, in a time that grows with their number alone. The client, which looks at headers of its
 * own accord, reads them this way too.
 */
import { MsgHdrsImpl } from "@nats-io/transport-node";

const VERSION = "NATS/1.0";
const DECODER = new TextDecoder();

/** Of values that share a name the first and the last one stay: a server writes its own words behind those of a host. */
export function readHeaders(bytes: Uint8Array): MsgHdrsImpl {
  const [first = "", ...lines] = DECODER.decode(bytes).split("\r\n");
  const [, code = "0", description = ""] = /^(\d{1,3})(?: (.*))?$/.exec(first.replace(VERSION, "").trim()) ?? [];
  const read = new MsgHdrsImpl(Number(code), description.trim());
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const name = line.slice(0, colon);
    const [kept] = read.headers.get(name) ?? [];
    const value = line.slice(colon + 1).trim();
    read.headers.set(name, kept === undefined ? [value] : [kept, value]);
  }
  return read;
}

export function readHeadersForClient(): void {
  MsgHdrsImpl.decode = readHeaders;
}
