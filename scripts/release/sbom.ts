/**
 * What a release is made of, in CycloneDX 1.6: nerve, the packages of the lock file that are part of the executable, the Bun
 * of each machine, and the SQLite inside it. Nothing in it depends on where or when it is made.
 */
import { createHash } from "node:crypto";
import { embeddedPackages, type Package } from "../licences/packages.ts";
import { runtimeIntegrity } from "./runtimes.ts";
import { TARGETS } from "./targets.ts";

export interface Release {
  readonly version: string;
  readonly commit: string;
  /** Of the commit, in seconds. */
  readonly timeS: number;
}

/** `sha512-BASE64` as CycloneDX writes hashes. */
const hashOf = (integrity: string) => ({
  alg: "SHA-512",
  content: Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex"),
});

const npm = (name: string, version: string): string => `pkg:npm/${name.replace("@", "%40")}@${version}`;

const packageComponent = ({ name, version, licence, integrity }: Package) => ({
  type: "library",
  "bom-ref": npm(name, version),
  name,
  version,
  hashes: [hashOf(integrity)],
  licenses: [{ license: { id: licence } }],
  purl: npm(name, version),
});

/** The Bun of each machine is a package of its own; SQLite is compiled into each. */
const runtimeComponents = () =>
  TARGETS.map((target) => ({
    type: "platform",
    "bom-ref": npm(target.runtime, Bun.version),
    name: target.runtime,
    version: Bun.version,
    description: `Bun, the runtime of the executable for ${target.name}`,
    hashes: [hashOf(runtimeIntegrity(target))],
    licenses: [{ license: { id: "MIT" } }],
    purl: npm(target.runtime, Bun.version),
  }));

const SQLITE = process.versions.sqlite ?? "unknown";

const sqliteComponent = () => ({
  type: "library",
  "bom-ref": `pkg:generic/sqlite@${SQLITE}`,
  name: "sqlite",
  version: SQLITE,
  description: "compiled into Bun",
  licenses: [{ license: { id: "blessing" } }],
  purl: `pkg:generic/sqlite@${SQLITE}`,
});

/** A name for exactly this release, as a UUID of its own kind (version 8). */
function serialNumber(about: Release): string {
  const hex = createHash("sha256").update(`nerve ${about.version} ${about.commit}`).digest("hex");
  const fields = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${fields.join("-")}`;
}

export async function sbom(about: Release): Promise<string> {
  const itself = npm("nerve", about.version);
  const packages = (await embeddedPackages()).map(packageComponent);
  const runtimes = runtimeComponents();
  const sqlite = sqliteComponent();
  const bom = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: serialNumber(about),
    version: 1,
    metadata: {
      timestamp: new Date(about.timeS * 1000).toISOString(),
      component: {
        type: "application",
        "bom-ref": itself,
        name: "nerve",
        version: about.version,
        licenses: [{ license: { id: "MIT" } }],
        purl: itself,
        properties: [{ name: "commit", value: about.commit }],
      },
    },
    components: [...packages, ...runtimes, sqlite],
    dependencies: [
      { ref: itself, dependsOn: [...packages, ...runtimes].map((component) => component["bom-ref"]) },
      ...runtimes.map((runtime) => ({ ref: runtime["bom-ref"], dependsOn: [sqlite["bom-ref"]] })),
    ],
  };
  return `${JSON.stringify(bom, null, 2)}\n`;
}
