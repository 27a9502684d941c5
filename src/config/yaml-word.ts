/** Owns the value of a plain word in YAML. */

/** Nothing but the letters of a name: no number, and too long for true, false and null. */
const NAME = /^[A-Za-z_-][\w-]{5,}$/;

/** The value of a plain word in the core schema of YAML 1.2. A number may be inexact, or none that JSON has. */
export function valueOfWord(word: string): string | number | boolean | null {
  if (NAME.test(word)) return word;
  if (/^(?:~|null|Null|NULL)?$/.test(word)) return null;
  if (/^(?:true|True|TRUE)$/.test(word)) return true;
  if (/^(?:false|False|FALSE)$/.test(word)) return false;
  if (/^[-+]?[0-9]+$/.test(word)) return Number.parseInt(word, 10);
  if (/^0o[0-7]+$/.test(word)) return Number.parseInt(word.slice(2), 8);
  if (/^0x[0-9a-fA-F]+$/.test(word)) return Number.parseInt(word.slice(2), 16);
  if (/^\.(?:nan|NaN|NAN)$/.test(word)) return Number.NaN;
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(word)) return word.startsWith("-") ? -Infinity : Infinity;
  return /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(word) ? Number.parseFloat(word) : word;
}
