/** A word as a person types it into a shell, quoted where needed: a person can copy the command in a message. */
export const shellWord = (word: string): string =>
  /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
