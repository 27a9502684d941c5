/** Owns `nerve open`: a link that signs a browser in, printed and opened. */
import { hostname } from "node:os";
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import type { Status } from "../../control/contract.ts";
import { problem } from "../../model/problem.ts";
import { newCode } from "../../tokens/passes.ts";
import { tokenOf } from "../../tokens/token-files.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT, fail } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { addressOf, listenerOf } from "../place/http-address.ts";
import { login } from "../place/login.ts";
import { findPlace } from "../place/place.ts";
import { remark } from "../screen/failure.ts";
import { print, printError } from "../screen/terminal.ts";

/** Of a desktop, the first that is there. */
const OPENERS = ["xdg-open", "gio", "wslview"];

/** Whether a browser of this desktop was asked to open it. */
function openInBrowser(url: string): boolean {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  const opener = OPENERS.find((name) => Bun.which(name) !== null);
  if ((DISPLAY ?? WAYLAND_DISPLAY) === undefined || opener === undefined) return false;
  const command = opener === "gio" ? [opener, "open", url] : [opener, url];
  Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "ignore" }).unref();
  return true;
}

/** What is typed on the machine in front of the person. */
const tunnelLine = (port: number): string => `ssh -L ${port}:127.0.0.1:${port} ${login()}@${hostname()}`;

export const command = defineCommand({
  details:
    "The link is good once, and for a minute. The browser exchanges the code in the link for a cookie that is good for 12\nhours; the code never leaves the browser before that. Over SSH the line for a tunnel is printed too.",
  arguments: [],
  options: {},
  examples: [
    ["nerve open", "the page, in the browser of this desktop or by the printed link"],
    ["nerve open --json | jq -r .url", "the link, for another program"],
  ],
  async run({ config, json }) {
    const place = findPlace(config);
    if (!place.ok) return place;
    const http = listenerOf("http", place.value);
    if (!http.ok) return http;
    const status = await ask<Status>(place.value, "/status", null);
    if (!status.ok) return status;
    const listener = status.value.listeners.find(({ name }) => name === "http");
    if (listener?.state !== "up") {
      const why = listener === undefined ? "nerve has not read `http` yet" : (listener.reason ?? "it is starting");
      const hint = listener === undefined ? "nerve reload" : "nerve logs --source kernel";
      return fail(EXIT.finding, problem("no-listener", `there is no page at ${addressOf(http.value)}: ${why}`, hint));
    }
    const token = tokenOf(place.value.data, "page");
    if (!token.ok) return fail(EXIT.finding, token.error);
    const url = `${addressOf(http.value)}/#open=${newCode(token.value, Date.now())}`;
    const isRemote = process.env.SSH_CONNECTION !== undefined;
    const tunnel = isRemote ? tunnelLine(http.value.port) : null;
    if (json) print(safeJson({ url, tunnel }));
    else {
      print(url);
      if (tunnel !== null) printError(`from your own machine, first: ${tunnel}`);
      else if (openInBrowser(url)) remark("opened in the browser");
    }
    return ok(EXIT.done);
  },
});
