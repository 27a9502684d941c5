/**
 * Text that came from outside (payloads, output of programs, names of processes) made safe for a terminal: control
 * characters (tab excepted), DEL, C1, bidirectional and other format characters and line separators become `\u{..}`.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const UNSAFE = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\p{Cf}\p{Cs}]/gu;

export const escapeForTerminal = (text: string): string =>
  text.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`);
