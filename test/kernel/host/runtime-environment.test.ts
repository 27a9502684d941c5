import { expect, test } from "bun:test";
import { refusedEnvironment } from "../../../src/kernel/host/runtime-environment.ts";

test("each variable that changes what the runtime runs is named, and no other", () => {
  const environment = {
    BUN_OPTIONS: "--preload=/x.ts",
    BUN_INSPECT: "ws://127.0.0.1:6499/x",
    BUN_INSPECT_NOTIFY: "",
    BUN_INSPECT_CONNECT_TO: "unix:///x",
    BUN_INSTALL: "/opt/bun",
    BUN_OPTIONS_OLD: "1",
  };
  expect(refusedEnvironment(environment)?.message).toBe(
    "BUN_INSPECT, BUN_INSPECT_CONNECT_TO, BUN_OPTIONS are set, which changes the code that nerve runs",
  );
  expect(refusedEnvironment({ BUN_OPTIONS: "x" })?.message).toStartWith("BUN_OPTIONS is set");
  expect(refusedEnvironment({ BUN_OPTIONS: "", BUN_INSTALL: "/opt/bun" })).toBeNull();
});
