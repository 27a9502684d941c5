/** A step's failure, made of what was recorded of it: the run meets the same error when it fails and whenever it is run again. */
const NAMED = /^([A-Za-z_$][\w$]*(?:Error|Exception)|Error): ([\s\S]*)$/;

/** `recorded` as the log has it: name and message, and what caused it. `stack` of what was thrown, while it is known. */
export function stepError(recorded: string, stack: string | null): Error {
  const [, name = "Error", message = recorded] = NAMED.exec(recorded) ?? [];
  const error = new Error(message);
  Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  if (stack !== null) error.stack = stack;
  return error;
}
