/** A disk that is full while clients push: they hear 503, lose nothing that was accepted, and go on by themselves (G11). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { CrashSite } from "../helpers/crash.ts";
import { fill, type SmallDisk, smallDisk, whyNoSmallDisk } from "../helpers/small-disk.ts";
import { until } from "../helpers/until.ts";
import { INBOX, pushOf, takenOn, untilTaken, wrongWith } from "./pushes.ts";

setDefaultTimeout(120_000);

const missing = whyNoSmallDisk();
if (missing !== null) console.warn(`skipped: pushes on a full disk, since ${missing}`);

test.skipIf(missing !== null)(
  "pushes on a full disk are refused with 503, and accepted again once there is room",
  async () => {
    const disk = smallDisk(16) as SmallDisk;
    const config = INBOX.replace("DURABILITY", "full").replace("THROTTLE", "10ms");
    const site = new CrashSite(["taker"], config, join(disk.path, "data"));
    try {
      const kernel = site.start();
      await kernel.up();
      const accepted: number[] = [];
      let n = 0;
      const push = async (): Promise<number | null> => {
        const status = await pushOf(site, ++n);
        if (status === 202) accepted.push(n);
        return status;
      };
      for (let times = 0; times < 20; times++) expect(await push()).toBe(202);
      const filler = fill(disk.path);
      await until("a push is refused", async () => (await push()) === 503);
      const refused = n;
      expect(await pushOf(site, refused)).toBe(503);
      rmSync(filler);
      await until("pushes are accepted again", async () => (await push()) === 202);
      expect(await pushOf(site, refused)).toBe(202);
      accepted.push(refused);
      await untilTaken(site);
      expect(await kernel.stop()).toBe(0);
      expect(wrongWith(takenOn(site), accepted)).toEqual([]);
    } finally {
      await site.end();
      disk.unmount();
    }
  },
);
