/** Sizes as people write them (`64kb 256mb`, powers of 1024) and as bytes, and back. */
const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };
const PATTERN = /^(\d{1,12})(b|kb|mb|gb)$/;

export const SIZE_SCHEMA = { type: "string", pattern: "^\\d{1,12}([bB]|[kKmMgG][bB])$" } as const;

/** Bytes, or null when `text` is not a whole number followed by b, kb, mb or gb. */
export function parseSize(text: string): number | null {
  const match = PATTERN.exec(text.toLowerCase());
  if (!match) return null;
  const bytes = Number(match[1]) * (UNITS[match[2] as string] as number);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Three significant digits at most: 43122688 → `41.1 MB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes / 1024;
  let unit = "KB";
  for (const next of ["MB", "GB", "TB"]) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${unit}`;
}
