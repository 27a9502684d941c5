/** Names of senses, reflexes, workflows and groups: safe as a file name, a URL segment and an SQL identifier in quotes. */
const NAME_PATTERN = /^[a-z0-9][a-z0-9-]{0,62}$/;

export const NAME_SCHEMA = { type: "string", pattern: NAME_PATTERN.source } as const;

export const isName = (text: string): boolean => NAME_PATTERN.test(text);
