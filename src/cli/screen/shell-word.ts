/** A word as it is typed into a shell: quoted where that is needed, so that what a message suggests can be copied. */
export const shellWord = (word: string): string =>
  /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
