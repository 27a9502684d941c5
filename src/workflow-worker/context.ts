/** What a run is given beside its thread. */
import type { RunContext } from "../sdk/index.ts";
import { notifyOf } from "./notify.ts";
import type { RunRequest, Setting } from "./setting.ts";

export const contextOf = (setting: Setting, request: RunRequest, signal: AbortSignal): RunContext =>
  Object.freeze({
    signal,
    options: setting.options as RunContext["options"],
    peers: setting.peers,
    blobs: setting.blobs,
    notify: notifyOf(setting, request, signal),
  });
