/**
 * The mark by which the C library refuses a processor that is too old, in one line, before the program starts: `CPU ISA level
 * is lower than required`. Without the mark such a processor meets an unknown instruction, and the shell says no more than
 * `Illegal instruction`. glibc reads it from 2.33 on, and older ones pass over it.
 *
 * The mark is a property note (x86-64 psABI, "Program Property"). The linker of the runtime wrote none, so the note takes the
 * place of the build id, by which nothing here is found.
 */

/** x86-64-v2 (SSE4.2, POPCNT): the oldest processors that Bun is compiled for, Nehalem and up. */
const X86_64_V2 = 1 << 1;

const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;
const NT_GNU_PROPERTY_TYPE_0 = 5;
const GNU_PROPERTY_X86_ISA_1_NEEDED = 0xc0008002;
/** glibc passes over a property note that is aligned otherwise. */
const ALIGNMENT = 8;
const PROPERTY_BYTES = 32;

const PHDR = { type: 0, offset: 8, vaddr: 16, paddr: 24, filesz: 32, memsz: 40, align: 48, bytes: 56 } as const;

const SHT_NOTE = 7;
const SHDR = { type: 4, address: 16, offset: 24, size: 32, align: 48, bytes: 64 } as const;

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Where the build id stands among the notes in `notes`. */
function buildId(elf: Buffer, notes: Range): Range | null {
  for (let at = notes.start; at + 12 <= notes.end; ) {
    const name = (elf.readUInt32LE(at) + 3) & ~3;
    const description = (elf.readUInt32LE(at + 4) + 3) & ~3;
    const end = at + 12 + name + description;
    if (elf.readUInt32LE(at + 8) === NT_GNU_BUILD_ID) return { start: at, end };
    at = end;
  }
  return null;
}

function propertyNote(): Buffer {
  const note = Buffer.alloc(PROPERTY_BYTES);
  note.writeUInt32LE(4, 0);
  note.writeUInt32LE(16, 4);
  note.writeUInt32LE(NT_GNU_PROPERTY_TYPE_0, 8);
  note.write("GNU\0", 12);
  note.writeUInt32LE(GNU_PROPERTY_X86_ISA_1_NEEDED, 16);
  note.writeUInt32LE(4, 20);
  note.writeUInt32LE(X86_64_V2, 24);
  return note;
}

/** The table of sections names the same place, for whoever reads the file with a tool. */
function moveSection(elf: Buffer, from: number, to: number): void {
  const table = Number(elf.readBigUInt64LE(40));
  for (let index = 0; index < elf.readUInt16LE(60); index += 1) {
    const at = table + index * SHDR.bytes;
    if (elf.readUInt32LE(at + SHDR.type) !== SHT_NOTE || Number(elf.readBigUInt64LE(at + SHDR.offset)) !== from)
      continue;
    elf.writeBigUInt64LE(elf.readBigUInt64LE(at + SHDR.address) + BigInt(to - from), at + SHDR.address);
    elf.writeBigUInt64LE(BigInt(to), at + SHDR.offset);
    elf.writeBigUInt64LE(BigInt(PROPERTY_BYTES), at + SHDR.size);
    elf.writeBigUInt64LE(BigInt(ALIGNMENT), at + SHDR.align);
  }
}

/** Puts the mark into an executable for x86-64. */
export function requireProcessor(elf: Buffer): void {
  const table = Number(elf.readBigUInt64LE(32));
  const count = elf.readUInt16LE(56);
  const headers = Array.from({ length: count }, (_, index) => table + index * PHDR.bytes);
  const header = headers.find((at) => elf.readUInt32LE(at + PHDR.type) === PT_NOTE);
  if (header === undefined) throw new Error("the executable has no notes");
  const start = Number(elf.readBigUInt64LE(header + PHDR.offset));
  const notes: Range = { start, end: start + Number(elf.readBigUInt64LE(header + PHDR.filesz)) };
  const id = buildId(elf, notes);
  const place = id === null ? 0 : Math.ceil(id.start / ALIGNMENT) * ALIGNMENT;
  if (id === null || place + PROPERTY_BYTES > id.end) throw new Error("the executable has no build id to replace");
  const moved = BigInt(place - start);
  elf.fill(0, id.start, id.end);
  propertyNote().copy(elf, place);
  moveSection(elf, id.start, place);
  for (const field of [PHDR.offset, PHDR.vaddr, PHDR.paddr]) {
    elf.writeBigUInt64LE(elf.readBigUInt64LE(header + field) + moved, header + field);
  }
  for (const field of [PHDR.filesz, PHDR.memsz]) elf.writeBigUInt64LE(BigInt(PROPERTY_BYTES), header + field);
  elf.writeBigUInt64LE(BigInt(ALIGNMENT), header + PHDR.align);
}
