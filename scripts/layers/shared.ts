/** Lists that several rows have in common. */

/** The ground, and the nouns. */
export const NOUNS: readonly string[] = ["src/base", "src/model"];

/** The imports of a worker of senses. */
export const WORKSHOP = [
  ...NOUNS,
  "src/ipc",
  "src/sqlite",
  "src/sdk",
  "senses/index.ts",
  "drizzle-orm",
  "type bun:sqlite",
];

/** The floor under the rooms of the kernel that decide. */
export const FLOOR: readonly string[] = [
  ...NOUNS,
  "src/store",
  "type src/kernel/world.ts",
  "src/kernel/time",
  "src/kernel/memory",
  "src/kernel/commits",
];
