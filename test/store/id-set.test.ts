/** A set of ids as ranges behaves as a set, and a million in a row take the space of one. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { IdSet } from "../../src/store/id-set.ts";

test("it holds what was added, in whatever order and however often", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 })), (ids) => {
      const set = new IdSet();
      for (const id of ids) set.add(id);
      const known = new Set(ids);
      expect(set.size).toBe(known.size);
      expect(set.lowest).toBe(ids.length === 0 ? null : Math.min(...ids));
      for (let id = 0; id <= 41; id++) expect(set.has(id)).toBe(known.has(id));
    }),
  );
});
