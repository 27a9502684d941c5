/**
 * Owns the writing of protobuf's wire format. Source: protobuf.dev/programming-guides/encoding. A submessage is written in place, and moved
 * by the bytes of its length once that is known.
 */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const HEX = /^(?:[0-9a-f]{2})+$/;
const NANOS = 1_000_000n;

export class Wire {
  #bytes = Buffer.allocUnsafe(4_096);
  #size = 0;

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  message(field: number, write: () => void): void {
    this.#tag(field, BYTES);
    const begin = this.#size;
    write();
    const length = this.#size - begin;
    const head = sizeOfVarint(length);
    this.#need(head);
    this.#bytes.copyWithin(begin + head, begin, this.#size);
    this.#size = begin;
    this.#varint(length);
    this.#size += length;
  }

  text(field: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.#tag(field, BYTES);
    this.#varint(length);
    this.#need(length);
    this.#size += this.#bytes.write(text, this.#size, "utf8");
  }

  /** Nothing where `digits` are none: a length that is not true would spoil all that follows. */
  hex(field: number, digits: string): void {
    if (!HEX.test(digits)) return;
    const length = digits.length / 2;
    this.#tag(field, BYTES);
    this.#varint(length);
    this.#need(length);
    this.#size += this.#bytes.write(digits, this.#size, "hex");
  }

  /** Of a field that is an enum, a bool, or a number that is not negative. */
  count(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  /** An int64 of any sign. */
  integer(field: number, value: number): void {
    this.#tag(field, VARINT);
    let rest = BigInt.asUintN(64, BigInt(value));
    this.#need(10);
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#size++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#size++] = Number(rest);
  }

  double(field: number, value: number): void {
    this.#tag(field, FIXED64);
    this.#need(8);
    this.#size = this.#bytes.writeDoubleLE(value, this.#size);
  }

  /** Unix nanoseconds, from milliseconds. */
  moment(field: number, ms: number): void {
    this.#tag(field, FIXED64);
    this.#need(8);
    this.#size = this.#bytes.writeBigUInt64LE(BigInt(Math.max(0, Math.round(ms))) * NANOS, this.#size);
  }

  #tag(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  /** Without bit operators: a number above 2^31 stays as it is. */
  #varint(value: number): void {
    this.#need(8);
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.#bytes[this.#size++] = (rest % 0x80) | 0x80;
    this.#bytes[this.#size++] = rest;
  }

  #need(more: number): void {
    if (this.#size + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#size + more));
    this.#bytes.copy(grown, 0, 0, this.#size);
    this.#bytes = grown;
  }
}

function sizeOfVarint(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size++;
  return size;
}
