/** The names that a log has once it is rotated. */
import { basename, extname } from "node:path";
import { matches } from "nerve/glob";

const PACKED = /\.(?:gz|bz2|xz|zst|lz4|lzma|zip)$/;
/** A count, or a date with or without a time. */
const NUMBER = /^(?:\.\d+|[-.]\d[\d-]{5,})$/;

export const isChosen = (name: string, pattern: string): boolean =>
  matches(pattern, name) && (!name.startsWith(".") || pattern.startsWith("."));

/** A name that a log has once it is rotated, and that is not packed. */
export const isFormer = (name: string, pattern: string): boolean =>
  !PACKED.test(name) &&
  !matches(pattern, name) &&
  ([".*", "-*"].some((end) => matches(pattern + end, name)) || isNumbered(name, pattern));

/** `app-20261128.log` or `app.1.log`: logrotate's `extension` keeps the end of the name. */
function isNumbered(name: string, pattern: string): boolean {
  const end = extname(pattern);
  const stem = basename(pattern, end);
  if (end === "" || pattern.includes("*") || !name.startsWith(stem) || !name.endsWith(end)) return false;
  return NUMBER.test(name.slice(stem.length, -end.length));
}
