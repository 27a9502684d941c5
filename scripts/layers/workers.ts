/** Rows of the workers, and of what runs in them. A worker cannot open logs.db, because it imports no store. */
import type { Layers } from "../arrows.ts";
import { NOUNS, WORKSHOP } from "./shared.ts";

export const WORKERS: Layers = {
  "src/worker": [...WORKSHOP, "arktype"],
  "src/sense-worker": [...WORKSHOP, "src/worker"],
  "src/sense-worker/payload-patterns.ts": ["src/rules/payload-type.ts"],
  "src/workflow-worker": [...NOUNS, "src/ipc", "src/sdk", "src/worker", "src/workflows/index.ts", "src/channels"],
  // The process that asks for the watchdog's address.
  "src/watchdog": ["src/base", "src/ipc", "src/worker/channel.ts", "src/worker/entry.ts", "src/worker/inbox.ts"],
  // The built-in workflows live like a user's: they import `nerve` and `nerve/…` only.
  "src/workflows": ["nerve"],
  // The message to a channel, and one try to deliver it: in workers of workflows, and in `nerve notify`.
  "src/channels": [...NOUNS, "type src/sdk", "src/workflows/webhook"],
  "src/channels/mail.ts": ["nodemailer"],
  // The built-in senses live like a user's, so each can be copied as it is.
  senses: ["senses/*"],
  "senses/*": ["nerve", "drizzle-orm"],
  // The process that takes in what is pushed over TCP. It opens no database.
  "src/push": [
    ...NOUNS,
    "src/http",
    "src/inbox",
    "src/ipc",
    "src/tokens",
    "src/worker/channel.ts",
    "src/worker/entry.ts",
    "src/worker/inbox.ts",
  ],
  // The process that carries signals between hosts. It reads logs.db, and what comes goes to the kernel.
  "src/fleet": [
    ...NOUNS,
    "src/ipc",
    "src/sqlite/open.ts",
    "type bun:sqlite",
    "src/worker/channel.ts",
    "src/worker/entry.ts",
    "src/worker/inbox.ts",
    "src/fleet/engine",
    "src/fleet/nats",
  ],
  "src/fleet/engine": ["src/base"],
  // NATS JetStream as an engine: the one folder that knows the client.
  "src/fleet/nats": ["src/fleet/engine", "@nats-io/transport-node"],
  // The process that sends by OTLP. It reads logs.db, and nothing comes in by it.
  "src/otlp": [
    ...NOUNS,
    "src/ipc",
    "src/version.ts",
    "src/sqlite/open.ts",
    "type bun:sqlite",
    "src/worker/channel.ts",
    "src/worker/entry.ts",
    "src/worker/inbox.ts",
  ],
  // The process of one query of `nerve sql`: it reads, and neither kernel nor worker of an author is in it.
  "src/sql": [...NOUNS, "src/sqlite", "src/store", "src/worker/channel.ts", "src/worker/entry.ts", "bun:sqlite"],
  // The text that Prometheus scrapes: from what the kernel counted, and from what a reader finds on disk.
  "src/metrics": [...NOUNS, "type src/control", "src/control/metrics-look.ts", "type src/store", "src/version.ts"],
  // The process that people look into nerve by: readers only. A browser reads the shapes of its answers.
  "src/web": [
    ...NOUNS,
    "src/config",
    "src/rules",
    "src/control",
    "src/ipc",
    "src/sqlite/open.ts",
    "src/sqlite/time-order.ts",
    "src/store/open-reader.ts",
    // Which rows a list is about.
    "src/store/incidents.ts",
    "src/store/logs.ts",
    "src/store/page.ts",
    "src/store/runs.ts",
    "src/store/search.ts",
    "src/store/signals.ts",
    "src/store/verified.ts",
    "src/http",
    "src/tokens",
    "src/metrics",
    "src/replays",
    "src/causes",
    "src/stories",
    "src/worker/channel.ts",
    "src/worker/entry.ts",
    "src/worker/inbox.ts",
    // The axis of elapsed time, read from the store.
    "src/kernel/time/lifetime.ts",
    "type bun:sqlite",
  ],
};
