/** What cannot be is a bug of ours: whoever meets it stops, for nothing that follows can be trusted. */
export function bug(what: string): never {
  throw new Error(`this cannot be: ${what}`);
}
