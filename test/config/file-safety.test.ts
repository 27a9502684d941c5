/** Who could have written a file: owners, modes, folders above, links. Real files; changing owners needs root. */
import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, lchownSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { checkFolder, checkOwnership } from "../../src/config/file-safety.ts";
import { isPrivateGroup } from "../../src/config/private-groups.ts";
import { formatProblem } from "../../src/model/problem.ts";
import { type TestFolder, testFolder } from "./folder.ts";

const OTHER_UID = 65_534;
const isRoot = process.geteuid?.() === 0;

const told = (folder: TestFolder, check: (path: string) => ReturnType<typeof checkOwnership>, name: string) => {
  const problem = check(join(folder.path, name));
  return problem && formatProblem(problem).replaceAll(folder.path, "DIR");
};

describe("checkOwnership", () => {
  test.each([
    [0o644, true],
    [0o600, true],
    [0o755, true],
    [0o664, false],
    [0o646, false],
    [0o666, false],
    [0o777, false],
    [0o1666, false],
  ])("a file of mode %o: fine is %p", (mode, isFine) => {
    using folder = testFolder();
    chmodSync(folder.write("a/f", ""), mode);
    expect(told(folder, checkOwnership, "a/f") === null).toBe(isFine);
  });

  test.each([
    [0o755, true],
    [0o700, true],
    [0o775, false],
    [0o757, false],
    [0o777, false],
    [0o1777, true],
    [0o1775, true],
  ])("a folder of mode %o above it: fine is %p", (mode, isFine) => {
    using folder = testFolder();
    folder.write("a/b/f", "");
    chmodSync(join(folder.path, "a"), mode);
    expect(told(folder, checkOwnership, "a/b/f") === null).toBe(isFine);
  });

  test("a sticky folder is fine above, and not at the end", () => {
    using folder = testFolder();
    chmodSync(folder.makeFolder("a"), 0o1777);
    expect(told(folder, checkOwnership, "a")).toBe(
      "DIR/a: this folder can be written to by its group or by others (mode 1777); chmod go-w DIR/a",
    );
  });

  test("names what is missing", () => {
    using folder = testFolder();
    expect(told(folder, checkOwnership, "a/b/f")).toBe("DIR/a/b/f: there is no DIR/a");
    expect(told(folder, checkOwnership, "f")).toBe("DIR/f: there is no such file");
  });

  test.if(isRoot)("names the part that belongs to someone else", () => {
    using folder = testFolder();
    const file = folder.write("a/b/f", "");
    chownSync(file, OTHER_UID, 0);
    expect(told(folder, checkOwnership, "a/b/f")).toBe(
      "DIR/a/b/f: this file belongs to uid 65534, and must belong to root; chown 0 DIR/a/b/f",
    );
    chownSync(file, 0, 0);
    chownSync(join(folder.path, "a"), OTHER_UID, 0);
    expect(told(folder, checkOwnership, "a/b/f")).toBe(
      "DIR/a/b/f: the folder DIR/a belongs to uid 65534, and must belong to root; chown 0 DIR/a",
    );
  });

  test("follows links: the link's folders and the target's both count", () => {
    using folder = testFolder();
    folder.write("target/f", "");
    folder.makeFolder("links");
    symlinkSync("../target/f", join(folder.path, "links/relative"));
    symlinkSync(join(folder.path, "target"), join(folder.path, "links/absolute"));
    for (const name of ["links/relative", "links/absolute/f"]) {
      expect(told(folder, checkOwnership, name)).toBeNull();
      chmodSync(join(folder.path, "links"), 0o777);
      expect(told(folder, checkOwnership, name)).toContain("the folder DIR/links can be written to");
      chmodSync(join(folder.path, "links"), 0o755);
      chmodSync(join(folder.path, "target"), 0o777);
      expect(told(folder, checkOwnership, name)).toContain("the folder DIR/target can be written to");
      chmodSync(join(folder.path, "target"), 0o755);
    }
  });

  test("gives up on links that go round", () => {
    using folder = testFolder();
    symlinkSync("b", join(folder.path, "a"));
    symlinkSync("a", join(folder.path, "b"));
    expect(told(folder, checkOwnership, "a")).toBe("DIR/a: too many links on the way");
  });

  test.if(isRoot)("refuses a link that someone else put into the temporary folder", () => {
    using folder = testFolder();
    folder.write("target", "");
    chmodSync(folder.makeFolder("tmp"), 0o1777);
    symlinkSync("../target", join(folder.path, "tmp/link"));
    expect(told(folder, checkOwnership, "tmp/link")).toBeNull();
    lchownSync(join(folder.path, "tmp/link"), OTHER_UID, 0);
    expect(told(folder, checkOwnership, "tmp/link")).toContain("this link belongs to uid 65534");
  });
});

describe("checkFolder", () => {
  const withSense = () => {
    const folder = testFolder();
    folder.write("senses/a/index.ts", "");
    folder.write("senses/a/migrations/1.sql", "");
    folder.write("senses/a/node_modules/p/index.js", "");
    folder.write("shared/x.ts", "");
    symlinkSync("../../shared", join(folder.path, "senses/a/shared"));
    symlinkSync("..", join(folder.path, "senses/a/up"));
    symlinkSync("nowhere", join(folder.path, "senses/a/broken"));
    return folder;
  };

  test("accepts a tree that is ours, links that go round and links to nothing included", () => {
    using folder = withSense();
    expect(told(folder, checkFolder, "senses")).toBeNull();
  });

  test.each(["senses/a/index.ts", "senses/a/migrations", "senses/a/node_modules/p/index.js", "shared/x.ts", "shared"])(
    "finds %s writable",
    (name) => {
      using folder = withSense();
      chmodSync(join(folder.path, name), 0o777);
      const message = told(folder, checkFolder, "senses/a");
      expect(message).toStartWith("DIR/senses/a: ");
      expect(message).toContain(`DIR/${name}`);
    },
  );

  test("names a folder that is not there", () => {
    using folder = testFolder();
    expect(told(folder, checkFolder, "senses")).toBe("DIR/senses: there is no such file");
  });
});

describe("a group", () => {
  const users = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:\nbob:x:1001:1001::/home/bob:\n";
  const groups = "root:x:0:\nann:x:1000:\nbob:x:1001:ann\nstaff:x:50:ann,bob\nalone:x:51:ann\nempty:x:52:\n";
  test.each([
    ["of its owner alone", 1000, 1000, true],
    ["that its owner alone is listed in", 51, 1000, true],
    ["that nobody is in", 52, 1000, true],
    ["that another is listed in", 1001, 1001, false],
    ["of several", 50, 1000, false],
    ["that is another's own", 1001, 1000, false],
    ["of root", 0, 0, false],
    ["that nobody knows, with its owner's number", 4242, 4242, true],
    ["that nobody knows", 4242, 1000, false],
  ])("%s: may write is %p", (_, gid, uid, isFine) => {
    expect(isPrivateGroup(gid, uid, { users, groups })).toBe(isFine);
  });
});

describe("every offender is named in one go", () => {
  test("in a folder, with one command for all of them", () => {
    using folder = testFolder();
    for (const name of ["s/a/index.ts", "s/a/schema.ts", "s/b c/index.ts"]) chmodSync(folder.write(name, ""), 0o666);
    chmodSync(join(folder.path, "s"), 0o777);
    const message = told(folder, checkFolder, "s") ?? "";
    expect(message.split("\n")).toHaveLength(4);
    for (const name of ["s/a/index.ts", "s/a/schema.ts", "s/b c/index.ts"])
      expect(message).toContain(`the file DIR/${name} can`);
    expect(message).toContain("; chmod go-w ");
    expect(message.match(/chmod/g)).toHaveLength(1);
    const command = message.slice(message.lastIndexOf("; ") + 2).replaceAll("DIR", folder.path);
    expect(Bun.spawnSync(["sh", "-c", command]).exitCode).toBe(0);
    expect(told(folder, checkFolder, "s")).toBeNull();
  });

  test("where there are many, the command names their folder", () => {
    using folder = testFolder();
    for (let index = 0; index < 60; index++) chmodSync(folder.write(`s/f${index}.ts`, ""), 0o666);
    const message = told(folder, checkFolder, "s") ?? "";
    expect(message).toContain("and 9 more");
    expect(message).toEndWith("; chmod -R go-w DIR/s");
  });
});
