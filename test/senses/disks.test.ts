/** Mounts as kernels print them, this host's own, and a disk that fills. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realMounts } from "../../senses/disks/mounts.ts";
import { openSense } from "../helpers/compute.ts";

const FILESYSTEMS =
  "nodev\tsysfs\nnodev\ttmpfs\nnodev\tzfs\nnodev\toverlay\n\text4\n\txfs\n\tvfat\n\tbtrfs\n\tsquashfs\n\tfuseblk\n";

/** A laptop with Debian and snaps, a server with btrfs subvolumes and ZFS, and a container. */
const LAPTOP = `22 27 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw,errors=remount-ro
30 27 0:27 / /run rw,nosuid,nodev,size=10% shared:5 - tmpfs tmpfs rw
41 27 259:1 / /boot/efi rw,relatime shared:30 - vfat /dev/nvme0n1p1 rw,fmask=0077
42 27 7:1 / /snap/core/17200 ro,nodev,relatime shared:31 - squashfs /dev/loop1 ro
43 27 254:0 /var/lib/docker /mnt/bound rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw
44 27 8:17 / /media/A\\040B\\134c\\303\\244 rw,nosuid shared:40 - fuseblk /dev/sdb1 rw,user_id=0
45 27 0:50 / /srv/nfs rw,relatime shared:41 - nfs4 fs:/export rw,vers=4.2
46 27 254:3 / /var rw,relatime - xfs /dev/mapper/vg-var ro
`;
const SERVER = `27 1 0:24 /@ / rw,relatime shared:1 - btrfs /dev/sda2 rw,subvolid=256,subvol=/@
28 27 0:24 /@home /home rw,relatime shared:2 - btrfs /dev/sda2 rw,subvolid=257,subvol=/@home
29 27 0:24 / /mnt/top rw,relatime shared:3 - btrfs /dev/sda2 rw,subvolid=5
31 27 0:61 / /tank rw,relatime shared:4 - zfs tank rw,xattr
32 27 0:62 / /tank/a rw,relatime shared:5 - zfs tank/a rw,xattr
33 27 8:1 / /data rw,relatime shared:6 - ext4 /dev/sdc1 rw
34 33 8:2 / /data rw,relatime shared:7 - xfs /dev/sdd1 rw
`;
const CONTAINER = `900 800 0:99 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib
901 900 254:0 /var/lib/docker/containers/ab/hostname /etc/hostname rw,relatime - ext4 /dev/vda1 rw
902 900 254:0 /var/lib/docker/volumes/v/_data /data rw,relatime - ext4 /dev/vda1 rw
`;

const found = (text: string) => realMounts(text, FILESYSTEMS).map(({ path, type }) => `${path} ${type}`);

describe("of the mounts", () => {
  test("only real file systems are shown, each once, with its name as it is", () => {
    expect(found(LAPTOP)).toEqual(["/ ext4", "/boot/efi vfat", "/media/A B\\cä fuseblk", "/var xfs"]);
    expect(realMounts(LAPTOP, FILESYSTEMS)).toContainEqual({
      path: "/var",
      device: "/dev/mapper/vg-var",
      type: "xfs",
      read_only: true,
    });
    expect(realMounts(LAPTOP, FILESYSTEMS)[0]).toMatchObject({ path: "/", read_only: false });
  });

  test("a pool is shown by its top, each set of ZFS by itself, and what is hidden is not", () => {
    expect(found(SERVER)).toEqual(["/data xfs", "/mnt/top btrfs", "/tank zfs", "/tank/a zfs"]);
  });

  test("in a container the shortest path stands for the disk under it", () => {
    expect(found(CONTAINER)).toEqual(["/data ext4"]);
    expect(found("")).toEqual([]);
    expect(found("nonsense\n1 2 3\n - ext4\n")).toEqual([]);
  });
});

describe("on this host", () => {
  test("the root is there, as statfs knows it, with a row for each file system", async () => {
    using sense = openSense("disks");
    const seen = await sense.compute();
    const root = seen.mounts.find(({ path }: { path: string }) => path === "/");
    // Some containers have no root of their own.
    if (root !== undefined) expect(root.total_bytes).toBe(statfsSync("/").blocks * statfsSync("/").bsize);
    const rows = sense.client.query("SELECT path FROM samples ORDER BY path").values();
    expect(rows.flat()).toEqual((seen?.mounts ?? []).map(({ path }: { path: string }) => path));
  });

  test("`except` leaves out, and nothing left is said once", async () => {
    using sense = openSense("disks", { except: ["*"] });
    expect(await sense.compute()).toBeNull();
    expect(await sense.compute()).toBeNull();
    expect(sense.logs).toEqual([expect.stringMatching(/^info: no real file system is mounted here/)]);
  });
});

describe("a disk elsewhere", () => {
  const MINUTE = 60_000;
  const folder = mkdtempSync(join(tmpdir(), "nerve-disks-"));
  const withHost = async (act: () => Promise<void>): Promise<void> => {
    // The host's first process has its root at the root of this one.
    mkdirSync(join(folder, "1"), { recursive: true });
    symlinkSync("/", join(folder, "1/root"));
    writeFileSync(
      join(folder, "1/mountinfo"),
      "27 1 254:0 / / rw - ext4 /dev/vda rw\n28 27 8:1 / /gone rw - xfs /dev/sdb rw\n",
    );
    writeFileSync(join(folder, "filesystems"), FILESYSTEMS);
    process.env.NERVE_PROC = folder;
    try {
      await act();
    } finally {
      delete process.env.NERVE_PROC;
      rmSync(folder, { recursive: true, force: true });
    }
  };

  test("is the host's in a container; one that fills is full in as many hours as its own history says", () =>
    withHost(async () => {
      using sense = openSense("disks");
      const now = Date.now();
      const [{ available_bytes }] = (await sense.compute({ now: now - 120 * MINUTE })).mounts;
      sense.client.run("DELETE FROM samples");
      const row = (at: number, available: number): void =>
        void sense.client.run(
          "INSERT INTO samples (at, path, total_bytes, used_bytes, available_bytes) VALUES (?, '/', 1, 1, ?)",
          [at, available],
        );
      // A tenth of what is left today was lost in each of the last two hours, a sample a minute.
      const perMinute = available_bytes / 10 / 60;
      for (let minute = 120; minute > 0; minute--)
        row(now - minute * MINUTE, Math.round(available_bytes + minute * perMinute));
      const { mounts } = await sense.compute({ now });
      expect(mounts).toHaveLength(1);
      expect(mounts[0]).toMatchObject({ path: "/", device: "/dev/vda" });
      expect(mounts[0].hours_to_full).toBeWithin(9.5, 10.5);
      // It empties, stands still, or is new: nothing is said.
      sense.client.run("UPDATE samples SET available_bytes = 1000000000 - id");
      sense.client.run(`UPDATE samples SET available_bytes = ${available_bytes} + id * 1000000`);
      expect((await sense.compute({ now })).mounts[0].hours_to_full).toBeNull();
      sense.client.run(`DELETE FROM samples WHERE at < ${now - 10 * MINUTE}`);
      expect((await sense.compute({ now })).mounts[0].hours_to_full).toBeNull();
    }));
});
