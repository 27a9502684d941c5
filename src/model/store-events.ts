/** The events of the store, its archive and its blobs: a part of the table of events. */
import type { EventKind } from "./event-kind.ts";

const archiveFile = { file: "string", first_id: "number", last_id: "number" } as const;

export const STORE_EVENT_KINDS = {
  "store.failed": {
    levels: ["error"],
    sentence:
      "On stderr only: logs.db cannot be written (is the disk full?). Nothing new is computed until it can be written; then nerve goes on by itself.",
    data: null,
  },
  "store.damaged": {
    levels: ["error"],
    sentence:
      "On stderr only: logs.db is not what nerve wrote, and the kernel ends with code 78. The message names the file, the table, the row and what to do: see [A damaged store](#a-damaged-store).",
    data: null,
  },
  "store.row-damaged": {
    levels: ["error"],
    sentence:
      "A row of logs.db is not what nerve wrote. nerve goes on as if the row were gone; the message names the table, the row, the column and what to do.",
    data: null,
  },
  "store.begun-anew": {
    levels: ["error"],
    sentence:
      "logs.db was missing or empty beside archive files or databases of senses. What it held is lost unless a copy is put back; ids go on above those the archive proves.",
    data: null,
  },
  "store.foreign-trigger": {
    levels: ["error"],
    sentence:
      "logs.db has a trigger that nerve did not make. When it refuses what nerve writes, the kernel ends with code 78: drop it.",
    data: null,
  },
  "store.sequence-restored": {
    levels: ["error"],
    sentence: "The table `sqlite_sequence` was damaged. Ids go on above the highest that anything proves was given.",
    data: null,
  },
  "store.recovered": { levels: ["warn"], sentence: "logs.db can be written again.", data: null },
  "store.low-space": {
    levels: ["error"],
    sentence:
      "The file system of the data directory is nearly full, and nothing new is computed: see [A full disk](#a-full-disk).",
    data: { directory: "string", free_bytes: "number", enough_bytes: "number" },
  },
  "store.space-recovered": {
    levels: ["warn"],
    sentence: "The file system of the data directory has room again.",
    data: null,
  },
  "runs.note-lost": {
    levels: ["warn"],
    sentence:
      "The note of which runs live was gone or damaged, so that this start knew older runs by their rows alone. `nerve rebuild --check` holds every row against the logs.",
    data: null,
  },
  "runs.restored": {
    levels: ["warn", "error"],
    sentence:
      "The table `workflow_runs` was missing and was derived from the logs again; `error`: some histories could not be read.",
    data: { runs: "number", faulty: "number", faults: "object[]" },
  },
  "archive.written": { levels: ["info"], sentence: "Old logs moved to an archive file.", data: archiveFile },
  "archive.removed": {
    levels: ["info"],
    sentence: "An archive file was past its retention and was removed.",
    data: archiveFile,
  },
  "archive.damaged": {
    levels: ["error"],
    sentence:
      "An archive file is missing or is not what was written, or its row in the table `archive` is lost: see [The archive](#the-archive).",
    data: { "file?": "string", "after?": "number", "up_to?": "number" },
  },
  "archive.stray": {
    levels: ["warn"],
    sentence:
      "A file in `data/archive` that this logs.db knows nothing of; nothing reads it. The message says what to do with it.",
    data: { file: "string" },
  },
  "archive.failed": {
    levels: ["error"],
    sentence:
      "Logs could not be moved to the archive (is there room?). They stay where they are, and nerve tries again a minute later.",
    data: null,
  },
  "blobs.swept": {
    levels: ["info"],
    sentence: "Blobs that nothing refers to were removed.",
    data: { blobs: "number", unfinished: "number", bytes: "number" },
  },
  "blobs.not-swept": {
    levels: ["warn"],
    sentence:
      "A blob could not be judged or removed, often because an archive file is damaged. No blob goes meanwhile, and nerve tries again in an hour.",
    data: null,
  },
} as const satisfies Readonly<Record<string, EventKind>>;
