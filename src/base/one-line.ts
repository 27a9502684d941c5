/** Text that came from outside as one line: no control character, no bidirectional or other format mark, no line end. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a line
const SPACES = /[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/gu;
const MARKS = /[\p{Cf}\p{Cs}]/gu;

/** At most `max` characters; what is longer ends with `…`. */
export function oneLine(text: string, max: number): string {
  const line = text.replace(SPACES, " ").replace(MARKS, "").trim();
  const characters = Array.from(line);
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join("")}…`;
}
