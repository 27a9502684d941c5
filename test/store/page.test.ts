/** What a page of a table costs. */
import { expect, test } from "bun:test";
import { ALL_SIGNALS } from "../../src/store/signals.ts";
import { archiveBench } from "../helpers/archive.ts";
import { LINEAR, timesSlower } from "../helpers/growth.ts";

test.each([true, false])(
  "a stretch of ids costs the same however many rows lie beside it; newest first: %p",
  (newest) => {
    using few = archiveBench();
    using many = archiveBench();
    const fill = ({ store }: typeof few, rows: number): void =>
      store.commit(() => {
        for (let at = 1; at <= rows; at++)
          store.signals.append({ sense: "a", at, payload: "1", cause: null, trace: "0".repeat(32) });
      });
    fill(few, 3_000);
    fill(many, 200_000);
    const read =
      ({ store }: typeof few, rows: number) =>
      (): void => {
        const middle = { after: rows / 2 - 500, before: rows / 2 + 500, senses: ["b"], newest };
        expect(store.signals.list({ ...ALL_SIGNALS, ...middle })).toEqual([]);
      };
    expect(timesSlower(read(many, 200_000), read(few, 3_000), 1)).toBeLessThan(LINEAR);
  },
);
