/** The profiles that Bun writes of the functions a process used, as far as `functions.order` keeps them. */

/** The variable that names the file: Bun writes the profile there when the process ends. `%p` stands for its id. */
export const ORDER_FILE = "BUN_BYTECODE_ORDER_OUT";

/** The form of the file, in its first line. */
export const ORDER_HEAD = "v2";

/** The lines of functions. A profile also has lines of texts and of tables: ten times as many, which save 1 % more. */
export function functionsOf(profile: string): string[] {
  const [head, ...lines] = profile.split("\n");
  if (head !== ORDER_HEAD) throw new Error(`the profile has the form ${head}, not ${ORDER_HEAD}`);
  return lines.filter((line) => line.startsWith("F "));
}
