/** A child that answers each message with one payload: what a call of another process costs at least. */
import { payload } from "./shape.ts";

process.on("disconnect", () => process.exit(0));
process.on("message", ({ id }: { id: number }) => void process.send?.({ id, value: payload(id) }));
