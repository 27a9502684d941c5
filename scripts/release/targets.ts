/** The machines that nerve is released for, and the names of the files of a release. */

export interface Target {
  /** As in the name of a file: processor, and libc where that is not glibc. */
  readonly name: string;
  readonly compile: Bun.Build.CompileTarget;
  /** The package with the Bun of that machine. */
  readonly runtime: string;
  /** Debian's word for the processor; null where no Debian package is made. */
  readonly debian: "amd64" | "arm64" | null;
  /** Whether the C library of that machine can refuse a processor before the program starts. */
  readonly refusesProcessors: boolean;
}

export const TARGETS: readonly Target[] = [
  {
    name: "x64",
    compile: "bun-linux-x64",
    runtime: "@oven/bun-linux-x64",
    debian: "amd64",
    refusesProcessors: true,
  },
  {
    name: "x64-baseline",
    compile: "bun-linux-x64-baseline",
    runtime: "@oven/bun-linux-x64-baseline",
    debian: null,
    refusesProcessors: true,
  },
  {
    name: "arm64",
    compile: "bun-linux-arm64",
    runtime: "@oven/bun-linux-aarch64",
    debian: "arm64",
    refusesProcessors: false,
  },
  {
    name: "x64-musl",
    compile: "bun-linux-x64-musl",
    runtime: "@oven/bun-linux-x64-musl",
    debian: null,
    refusesProcessors: false,
  },
  {
    name: "arm64-musl",
    compile: "bun-linux-arm64-musl",
    runtime: "@oven/bun-linux-aarch64-musl",
    debian: null,
    refusesProcessors: false,
  },
];

export const executableName = (version: string, target: Target): string => `nerve-${version}-linux-${target.name}`;
export const tarName = (version: string, target: Target): string => `${executableName(version, target)}.tar.zst`;
export const sbomName = (version: string): string => `nerve-${version}.cdx.json`;
export const debianName = (version: string, architecture: string): string => `nerve_${version}_${architecture}.deb`;
