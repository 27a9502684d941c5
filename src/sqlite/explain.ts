/**
 * EXPLAIN, run so that nothing stays behind: Bun does not reset one after its last row, and left so it would hold the
 * connection's snapshot, and with it the whole write-ahead log, for good.
 */
import { splitStatements } from "./statements.ts";

/** Asked for every query. For most of them a look at the text is enough. */
export const isExplain = (sql: string): boolean =>
  /explain/i.test(sql) && splitStatements(sql)[0]?.keyword === "EXPLAIN";
