/**
 * Reads SQL far enough to say where statements end and what each one is: strings, quoted names, comments and the
 * bodies of CREATE TRIGGER are seen; nothing is parsed beyond that. The grammar is that of sqlite3_complete().
 * Source: https://www.sqlite.org/lang.html
 */
export interface Statement {
  readonly text: string;
  /** The first keyword in upper case, `` for a statement that begins with something else. */
  readonly keyword: string;
  /** The second word in upper case when it is one, else ``. */
  readonly second: string;
  /** 1-based line of the text on which it begins. */
  readonly line: number;
}

const TOKEN =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`(?:[^`]|``)*(?:`|$)|\[[^\]]*(?:\]|$)|;|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\S/g;

const isComment = (token: string): boolean => token.startsWith("--") || token.startsWith("/*");

/** The statements of `sql` in order, comments and blank ones left out. */
export function splitStatements(sql: string): Statement[] {
  const found: Statement[] = [];
  let start = -1;
  let words: string[] = [];
  let trigger = false;
  let cases = 0;
  let last = "";
  const close = (end: number): void => {
    if (start >= 0) {
      const text = sql.slice(start, end).trim();
      const line = sql.slice(0, start).split("\n").length;
      found.push({ text, keyword: words[0] ?? "", second: words[1] ?? "", line });
    }
    start = -1;
    words = [];
    trigger = false;
    cases = 0;
  };
  for (const match of sql.matchAll(TOKEN)) {
    const token = match[0];
    if (isComment(token)) continue;
    const upper = token.toUpperCase();
    if (token === ";") {
      if (!trigger || (last === "END" && cases === 0)) close(match.index);
      last = ";";
      continue;
    }
    if (start < 0) start = match.index;
    if (words.length < 4) words.push(/^[A-Z_]/.test(upper) ? upper : "");
    if (upper === "TRIGGER" && words[0] === "CREATE" && words.indexOf("TRIGGER") <= 2 && words.length <= 4)
      trigger = true;
    if (trigger && upper === "CASE") cases++;
    if (trigger && upper === "END" && cases > 0) {
      cases--;
      last = "END CASE";
      continue;
    }
    last = upper;
  }
  close(sql.length);
  return found;
}

/** What a read-only handle may run: exactly one of these. */
const READING = new Set(["SELECT", "VALUES", "WITH", "EXPLAIN"]);

/** Why `sql` is not a single reading statement, or null when it is. */
export function whyNotReading(sql: string): string | null {
  const statements = splitStatements(sql);
  const first = statements[0];
  if (first === undefined) return "there is no statement";
  if (statements.length > 1) return "only a single statement is allowed";
  if (!READING.has(first.keyword)) return `${first.keyword || "this"} is not SELECT, VALUES, WITH or EXPLAIN`;
  return null;
}

/** Statements that would end, begin or step out of the transaction they are run in. */
export function leavesTransaction(statement: Statement): boolean {
  const { keyword, text } = statement;
  if (keyword === "ROLLBACK") return !/^ROLLBACK\s+(TRANSACTION\s+)?TO\b/i.test(text);
  return ["BEGIN", "COMMIT", "END", "VACUUM", "ATTACH", "DETACH"].includes(keyword);
}
