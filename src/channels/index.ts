/** What a worker loads when a run first tells somebody, and no sooner. */
export { noticeOf, noticeOfWords } from "./notice.ts";
export { send } from "./send.ts";
