/**
 * Text that came from outside (payloads, output of programs, names of processes) made safe for a terminal: control
 * characters (tab excepted), DEL, C1, bidirectional and other format characters and line separators become `\u{..}`.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const UNSAFE = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\p{Cf}\p{Cs}]/gu;

export const escapeForTerminal = (text: string): string =>
  text.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`);

// What JSON leaves as it is and a terminal may obey. Spaces between values, line ends among them, are no text from outside.
const UNSAFE_IN_JSON = /[\u007f-\u009f\u2028\u2029\p{Cf}]/gu;

const jsonEscape = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");

/** Most JSON holds nothing else, which costs less to see than the categories of Unicode. */
const BEYOND_ASCII = /[\u007f-\uffff]/;

/** JSON that means the same to whoever parses it, and nothing to a terminal. */
export function safeJson(value: unknown, indent = 0): string {
  const json = JSON.stringify(value, null, indent);
  return BEYOND_ASCII.test(json) ? json.replace(UNSAFE_IN_JSON, jsonEscape) : json;
}
