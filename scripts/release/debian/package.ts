/**
 * A Debian package from an executable. Everything in it follows from its arguments and this checkout, so the same build has the
 * same bytes. Source: deb(5), Debian Policy.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SCRIPTS } from "../../../src/cli/completion/scripts.ts";
import { type Licence, licences } from "../../licences/licences.ts";
import { manPage } from "../man.ts";
import { type Entry, tar } from "../tar.ts";
import { ar } from "./ar.ts";
import { packagedUnit } from "./unit.ts";

export interface Packaged {
  readonly version: string;
  readonly architecture: string;
  /** `Name <address>`. */
  readonly maintainer: string;
  readonly timeS: number;
  readonly executable: Uint8Array;
}

const DESCRIPTION = `observation engine for one host, in one executable
 Senses look at the host, reflexes decide, workflows act, and SQLite keeps all
 of it: processors, memory, pressure, file systems, disk and network traffic,
 processes, and whatever a program prints. Rules in nerve.yaml start workflows,
 which run programs or post to a URL, and survive crashes step by step.
 .
 The service starts with a config that watches this host.`;

const own = (name: string): string => readFileSync(join(import.meta.dir, name), "utf8");

/**
 * Debian's tools read gzip and xz everywhere. This gzip comes with the pinned Bun, so that no other tool's version is part of
 * the bytes.
 */
const gzip = (content: string | Uint8Array): Uint8Array =>
  Bun.gzipSync(Buffer.from(content), { level: 9, library: "libdeflate" });

/** Debian has the long ones in a place of its own. */
const COMMON: Readonly<Record<string, string>> = {
  "Apache-2.0": "The text is in /usr/share/common-licenses/Apache-2.0.",
};

const indented = (text: string): string => text.replace(/^[^\S\n]*$/gm, ".").replace(/^/gm, " ");

const paragraph = ({ name, version, licence, text }: Licence): string =>
  indented(`${name} ${version}, ${licence}\n\n${COMMON[licence] ?? text}`);

/** Debian's own file about licences. Its form is fixed. Source: the machine-readable debian/copyright. */
async function copyright(): Promise<string> {
  const [itself, ...others] = await licences();
  if (itself === undefined) throw new Error("nerve itself has no licence");
  const holder = /^Copyright (?:\(c\) )?(.*)$/m.exec(itself.text)?.[1] ?? "";
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: nerve

Files: *
Copyright: ${holder}
License: ${itself.licence}
${indented(itself.text)}
Comment: the executable holds others' work:
 .
${others.map(paragraph).join("\n .\n")}
`;
}

/** Policy wants a log of the packaging; the changes of nerve are in CHANGELOG.md. */
const changelog = ({ version, maintainer, timeS }: Packaged): string => {
  const date = new Date(timeS * 1000).toUTCString().replace("GMT", "+0000");
  return `nerve (${version}) stable; urgency=medium\n\n  * nerve ${version}.\n\n -- ${maintainer}  ${date}\n`;
};

const file = (path: string, content: string | Uint8Array, mode = 0o644): Entry => ({
  kind: "file",
  path: `./${path}`,
  mode,
  content: typeof content === "string" ? Buffer.from(content) : content,
});

async function filesOf(about: Packaged): Promise<readonly Entry[]> {
  return [
    file("usr/lib/systemd/system/nerve.service", packagedUnit()),
    file("usr/bin/nerve", about.executable, 0o755),
    file("usr/share/bash-completion/completions/nerve", SCRIPTS.bash),
    file("usr/share/doc/nerve/changelog.gz", gzip(changelog(about))),
    file("usr/share/doc/nerve/copyright", await copyright()),
    file("usr/share/fish/vendor_completions.d/nerve.fish", SCRIPTS.fish),
    file("usr/share/lintian/overrides/nerve", own("overrides")),
    file("usr/share/man/man1/nerve.1.gz", gzip(manPage(about.version, about.timeS))),
    file("usr/share/zsh/vendor-completions/_nerve", SCRIPTS.zsh),
  ];
}

/** The folders above `files`, each before what is in it. */
function foldersOf(files: readonly Entry[]): readonly Entry[] {
  const folders = new Set(["./"]);
  for (const { path } of files) {
    for (let at = path.indexOf("/", 2); at !== -1; at = path.indexOf("/", at + 1)) folders.add(path.slice(0, at + 1));
  }
  return [...folders].sort().map((path) => ({ kind: "folder", path, mode: 0o755 }));
}

const contentOf = (entry: Entry): Uint8Array => (entry.kind === "file" ? entry.content : new Uint8Array());

function controlFiles(about: Packaged, files: readonly Entry[]): readonly Entry[] {
  const bytes = files.reduce((total, entry) => total + contentOf(entry).length, 0);
  const control = `Package: nerve
Version: ${about.version}
Architecture: ${about.architecture}
Maintainer: ${about.maintainer}
Installed-Size: ${Math.ceil(bytes / 1024)}
Depends: libc6 (>= 2.17), adduser, debconf (>= 0.5) | debconf-2.0, init-system-helpers (>= 1.54~)
Section: admin
Priority: optional
Description: ${DESCRIPTION}
`;
  const sums = files.map(
    (entry) => `${createHash("md5").update(contentOf(entry)).digest("hex")}  ${entry.path.slice(2)}\n`,
  );
  return [
    file("config", own("config"), 0o755),
    file("control", control),
    file("md5sums", sums.join("")),
    file("postinst", own("postinst"), 0o755),
    file("postrm", own("postrm"), 0o755),
    file("prerm", own("prerm"), 0o755),
    file("templates", own("templates")),
  ];
}

export async function debianPackage(about: Packaged): Promise<Uint8Array> {
  const files = await filesOf(about);
  const data = tar([...foldersOf(files), ...files], about.timeS);
  const control = tar([{ kind: "folder", path: "./", mode: 0o755 }, ...controlFiles(about, files)], about.timeS);
  return ar(
    [
      { name: "debian-binary", content: Buffer.from("2.0\n") },
      { name: "control.tar.gz", content: gzip(control) },
      { name: "data.tar.gz", content: gzip(data) },
    ],
    about.timeS,
  );
}
