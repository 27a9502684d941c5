/** The messages between the kernel and a sense worker, checked. */
import { type ParentMessage, parentDefinitions, type WorkerMessage, workerDefinitions } from "./definitions.ts";
import { type Parse, parser } from "./parser.ts";

/** What a worker accepts from the kernel. The error is short whatever was sent. */
export const parseParentMessage: Parse<ParentMessage> = parser<ParentMessage>(parentDefinitions);

/** What the kernel accepts from a worker. The error is short whatever was sent. */
export const parseWorkerMessage: Parse<WorkerMessage> = parser<WorkerMessage>(workerDefinitions);
