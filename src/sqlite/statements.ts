/**
 * Reads SQL far enough to say where statements end and what each one is: strings, quoted names, comments and the
 * bodies of CREATE TRIGGER are seen; nothing is parsed beyond that. The grammar is that of sqlite3_complete().
 * Source: https://www.sqlite.org/lang.html
 */
export interface Statement {
  readonly text: string;
  /** The first keyword in upper case, `` for a statement that begins with something else. */
  readonly keyword: string;
  /** 1-based line of the text on which it begins. */
  readonly line: number;
}

const SPACE = /[ \t\n\f\r\ufeff]*/y;
const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
/** With the form `$name(…)`, in which quotes and semicolons mean nothing. */
const VARIABLE = /[$@:#][\w$:\u0080-\uffff]+(?:\([^\s)]*\))?/y;

function matchEnd(pattern: RegExp, sql: string, at: number): number | null {
  pattern.lastIndex = at;
  return pattern.test(sql) ? pattern.lastIndex : null;
}

const endAfter = (sql: string, at: number, mark: string): number => {
  const found = sql.indexOf(mark, at);
  return found < 0 ? sql.length : found + mark.length;
};

function endOfQuoted(sql: string, at: number, quote: string): number {
  let end = sql.indexOf(quote, at + 1);
  while (end >= 0 && sql[end + 1] === quote) end = sql.indexOf(quote, end + 2);
  return end < 0 ? sql.length : end + 1;
}

/** Searched with indexOf where a token can be long: a regular expression gives up on a string of megabytes. */
function endOfToken(sql: string, at: number): number {
  const first = sql[at] as string;
  if (sql.startsWith("--", at)) return endAfter(sql, at, "\n");
  if (sql.startsWith("/*", at)) return endAfter(sql, at + 2, "*/");
  if (first === "'" || first === '"' || first === "`") return endOfQuoted(sql, at, first);
  if (first === "[") return endAfter(sql, at, "]");
  return matchEnd(WORD, sql, at) ?? matchEnd(VARIABLE, sql, at) ?? at + 1;
}

const isComment = (token: string): boolean => token.startsWith("--") || token.startsWith("/*");

export interface Token {
  readonly text: string;
  /** Where the token begins, in characters from 0. */
  readonly at: number;
}

/** The tokens of `sql` without space and comments. Only as exact as the end of a statement needs it: `1e5` is three. */
export function tokensOf(sql: string): Token[] {
  const found: Token[] = [];
  for (let at = matchEnd(SPACE, sql, 0) ?? 0; at < sql.length; ) {
    const next = endOfToken(sql, at);
    const text = sql.slice(at, next);
    if (!isComment(text)) found.push({ text, at });
    at = matchEnd(SPACE, sql, next) ?? next;
  }
  return found;
}

const MAKES_TRIGGER = /^(EXPLAIN (QUERY PLAN )?)?CREATE (TEMP |TEMPORARY )?TRIGGER$/;
const LONGEST_OPENING = 6;

/** The statements of `sql` in order, comments and blank ones left out. */
export function splitStatements(sql: string): Statement[] {
  const found: Statement[] = [];
  let start = -1;
  let end = -1;
  let words: string[] = [];
  let trigger = false;
  let last = "";
  let beforeLast = "";
  let line = 1;
  let countedTo = 0;
  const close = (): void => {
    if (start < 0) return;
    line += sql.slice(countedTo, start).split("\n").length - 1;
    countedTo = start;
    found.push({ text: sql.slice(start, end), keyword: words[0] ?? "", line });
    start = -1;
    words = [];
    trigger = false;
  };
  for (let at = matchEnd(SPACE, sql, 0) ?? 0; at < sql.length; ) {
    const next = endOfToken(sql, at);
    const token = sql.slice(at, next);
    const here = at;
    at = matchEnd(SPACE, sql, next) ?? next;
    if (isComment(token)) continue;
    const upper = token.toUpperCase();
    // The body of a trigger is statements too: it ends with `; END ;` and nowhere else.
    const closes = upper === ";" && (!trigger || (last === "END" && beforeLast === ";"));
    beforeLast = last;
    last = upper;
    if (closes) {
      close();
      continue;
    }
    if (upper === ";" && start < 0) continue;
    if (start < 0) start = here;
    end = next;
    if (words.length < LONGEST_OPENING) {
      words.push(/^[A-Z_][\w$]*$/.test(upper) ? upper : "");
      if (upper === "TRIGGER" && MAKES_TRIGGER.test(words.join(" "))) trigger = true;
    }
  }
  close();
  return found;
}

/** What a read-only handle may run: exactly one of these. */
const READING = new Set(["SELECT", "VALUES", "WITH", "EXPLAIN"]);

/** Why `sql` is not a single reading statement, or null when it is. */
export function whyNotReading(sql: string): string | null {
  if (sql.includes("\0")) return "a NUL character would end it early";
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
