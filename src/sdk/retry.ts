/** `nerve/retry`: what a workflow knows about trying again, attached to the error that it throws. */
export { adviceOf, type RetryAdvice, withAdvice } from "../model/retry-advice.ts";
