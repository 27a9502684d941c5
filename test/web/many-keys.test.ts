/** The account of a reflex with hundreds of keys: bounded, and paged without a gap. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { Secrets } from "../../src/base/secrets.ts";
import { Place } from "../../src/web/place.ts";
import { reflexAnswer } from "../../src/web/reflex-answers.ts";
import { StoryBench } from "../helpers/story-bench.ts";

setDefaultTimeout(60_000);

const CONFIG = `senses: { disks: { use: disk-usage } }
reflexes:
  - { sense: disks, interval: 1m }
  - name: full
    workflow: notify
    on: [disks]
    each: mounts
    key: path
    when: { used_percent: number >= 90 }
channels: { team: { webhook: { url: "https://chat.example.org/hook" } } }
workflows: { notify: { with: { to: [team] } } }
`;
const MOUNTS = Array.from({ length: 200 }, (_, nth) => ({ path: `/m${nth}`, used_percent: 10 }));
const NEWEST = { limit: null, before: null, key: null, keys_after: null, from: null, to: null };

test("an answer has the newest signals whole and about 500 decisions, and the next page goes on right below", async () => {
  await using bench = new StoryBench(CONFIG);
  bench.sees("disks", { mounts: MOUNTS });
  await bench.wait(12 * 60_000);
  const opened = new Place(bench.folder.path, "1", bench.config, new Secrets()).store();
  if (!opened.ok) throw new Error(opened.error.message);
  const place = new Place(bench.folder.path, "1", bench.config, new Secrets());
  const all = opened.value.signals.lastId();
  const found: number[] = [];
  let before: number | null = null;
  do {
    const answer = await reflexAnswer(place, opened.value, "full", { ...NEWEST, before });
    if (!answer.ok) throw new Error(answer.error.message);
    const { signals, next } = answer.value;
    expect(signals.length).toBeLessThanOrEqual(700);
    const ids = [...new Set(signals.map(({ id }) => id))];
    for (const id of ids) expect(signals.filter((one) => one.id === id)).toHaveLength(MOUNTS.length);
    found.unshift(...ids);
    before = next === null ? null : Number(next.replace("before=", ""));
  } while (before !== null);
  expect(all).toBeGreaterThan(8);
  expect(found).toEqual(Array.from({ length: all }, (_, nth) => nth + 1));
});
