/** What `nerve version --licences` and the SBOM list is what the executable is made of. */
import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { BUNDLE } from "../../scripts/build.ts";
import { kitFiles } from "../../scripts/kit/kit.ts";
import { embeddedPackages, packageOf, readLock } from "../../scripts/licences/packages.ts";
import { PAGE_BUNDLE } from "../../scripts/page/page.ts";
import { sbom } from "../../scripts/release/sbom.ts";
import { TARGETS } from "../../scripts/release/targets.ts";
import { runNerve } from "../helpers/nerve.ts";

const ROOT = join(import.meta.dir, "../..");
const ABOUT = { version: "1.2.3", commit: "0123456789abcdef0123456789abcdef01234567", timeS: 1_700_000_000 };

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { readonly content: string }[];
}

/** Every package with a source in the bundle or in the page, or a type in the kit. */
const packages = new Set<string>();

beforeAll(async () => {
  const built = [await Bun.build({ ...BUNDLE, metafile: true }), await Bun.build({ ...PAGE_BUNDLE, metafile: true })];
  const inputs = built.flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}));
  const bundled = inputs.filter((path) => path.startsWith("node_modules/"));
  for (const path of bundled) packages.add(packageOf(path.slice("node_modules/".length)));
  for (const path of Object.keys(await kitFiles())) {
    const [, rest = "nerve"] = /^types\/node_modules\/(.*)$/.exec(path) ?? [];
    packages.add(packageOf(rest));
  }
  packages.delete("nerve");
});

test("every package that is in the executable is listed, and no other", async () => {
  const listed = (await embeddedPackages()).map(({ name }) => name);
  expect(listed).toEqual([...packages].sort());
  expect(listed).toContain("drizzle-orm");
});

test("nerve version --licences has the licence and the text of each, of Bun and of SQLite", async () => {
  const { code, stdout } = await runNerve(ROOT, ["version", "--licences", "--json"]);
  expect(code).toBe(0);
  const licences: { name: string; licence: string; text: string }[] = JSON.parse(stdout).licences;
  expect(licences.map(({ name }) => name)).toEqual(["nerve", "Bun", "SQLite", ...[...packages].sort()]);
  for (const { name, licence, text } of licences) {
    expect(licence, name).toMatch(/^(MIT|MIT-0|ISC|Apache-2\.0|Unlicense|public domain)$/);
    expect(text.length, name).toBeGreaterThan(30);
  }
  const texts = (await runNerve(ROOT, ["version", "--licences"])).stdout;
  for (const { text } of licences) expect(texts).toContain(text);
  expect(texts).toContain("JavaScriptCore");
});

test("the SBOM holds them with the hashes of the lock file, the Bun of each machine, and SQLite", async () => {
  const bom = JSON.parse(await sbom(ABOUT));
  expect(bom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1 });
  expect(bom.serialNumber).toMatch(
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  expect(bom.metadata).toMatchObject({ timestamp: "2023-11-14T22:13:20.000Z", component: { version: "1.2.3" } });
  const components: Component[] = bom.components;
  expect(components.map(({ name }) => name)).toEqual([
    ...[...packages].sort(),
    ...TARGETS.map(({ runtime }) => runtime),
    "sqlite",
  ]);
  expect(components.at(-1)?.version).toBe(process.versions.sqlite ?? "");
  const lock = readLock(join(ROOT, "bun.lock"));
  for (const { name, version, hashes } of components.slice(0, packages.size)) {
    expect(lock.packages[name]?.[0]).toBe(`${name}@${version}`);
    expect(`sha512-${Buffer.from(hashes[0]?.content ?? "", "hex").toString("base64")}`).toBe(
      lock.packages[name]?.[3] ?? "",
    );
  }
});

test("whatever the SBOM says to depend on is a component of it", async () => {
  const bom = JSON.parse(await sbom(ABOUT));
  const known = new Set([bom.metadata.component, ...bom.components].map((component) => component["bom-ref"]));
  expect(known.size).toBe(bom.components.length + 1);
  const named: string[] = bom.dependencies.flatMap((one: { ref: string; dependsOn: string[] }) => [
    one.ref,
    ...one.dependsOn,
  ]);
  expect(named.filter((reference) => !known.has(reference))).toEqual([]);
});

test("the same release has the same SBOM, another commit another", async () => {
  expect(await sbom(ABOUT)).toBe(await sbom(ABOUT));
  expect(await sbom({ ...ABOUT, commit: "f".repeat(40) })).not.toBe(await sbom(ABOUT));
});
