/** A value that is kept as JSON: a payload, the result of a step, the input and the output of a run. */

/** As UTF-8. What is larger belongs into a blob. */
export const MAX_VALUE_BYTES = 64 * 1024;

/** Several signals of one compute. */
export const MAX_SIGNALS = 500;
/** Of their payloads together, as UTF-8. */
export const MAX_SIGNALS_BYTES = 1024 * 1024;
