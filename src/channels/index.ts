/** Owns the entry to the channels. A worker loads it when a run first notifies somebody. */
export { noticeOf, noticeOfWords } from "./notice.ts";
export { send } from "./send.ts";
