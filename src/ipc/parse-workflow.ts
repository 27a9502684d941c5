/** The messages between the kernel and a workflow worker, checked. */
import { type Parse, parser } from "./parser.ts";
import {
  type WorkflowMessage,
  type WorkflowParentMessage,
  workflowParentDefinitions,
  workflowWorkerDefinitions,
} from "./workflow-definitions.ts";

/** What a workflow worker accepts from the kernel. */
export const parseWorkflowParentMessage: Parse<WorkflowParentMessage> =
  parser<WorkflowParentMessage>(workflowParentDefinitions);

/** What the kernel accepts from a workflow worker. */
export const parseWorkflowMessage: Parse<WorkflowMessage> = parser<WorkflowMessage>(workflowWorkerDefinitions);
