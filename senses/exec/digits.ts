/** Whole numbers that JavaScript would change: beyond 2^53 it has no room for every digit. */

const WHOLE = /^[-+]?\d+$/;
/** 2^53 has 16 digits. */
const SURE_DIGITS = 15;
const LIMIT = 2n ** 53n;

/** Whether `text`, a number as it was printed, is a whole number beyond 2^53. */
export function losesDigits(text: string): boolean {
  if (text.length <= SURE_DIGITS || !WHOLE.test(text)) return false;
  const digits = text.replace(/^[-+]?0*/, "");
  return digits.length > SURE_DIGITS && (digits.length > 16 || BigInt(digits) > LIMIT);
}
