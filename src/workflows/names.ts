/** The names of the built-in workflows, and nothing else: the kernel reads this, and must load none of their code. */
export const BUILT_IN_WORKFLOW_NAMES = ["exec", "webhook", "notify"] as const;

export type BuiltInWorkflowName = (typeof BUILT_IN_WORKFLOW_NAMES)[number];
