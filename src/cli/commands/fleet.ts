/** Owns `nerve fleet`: what joins this host to others. */
import { meantOr } from "../../base/nearest.ts";
import { check } from "../fleet/check.ts";
import { forget } from "../fleet/forget.ts";
import { init } from "../fleet/init.ts";
import { key } from "../fleet/key.ts";
import { status } from "../fleet/status.ts";
import { defineCommand, flag, text, texts } from "../frame/command.ts";
import { usageError } from "../frame/outcome.ts";

const ACTIONS = ["status", "forget", "init", "key", "check"] as const;

export const command = defineCommand({
  details:
    "status  every host that was heard of: its state, when something of it came last, what is missing; --live asks each\nforget  take hosts that are gone for good off the list; one that sends again is new\ninit    make the stream, or change its limits; with hosts print the server's configuration with what each may do\nkey     a key pair for each host that is named: the public half is for the server, the seed for that host alone\ncheck   whether this host can connect, send and receive as nerve.yaml says; ends with exit code 1 where it cannot",
  arguments: [
    { name: "action", required: true },
    { name: "host…", required: false },
  ],
  options: {
    live: flag("status: ask each host now, for two seconds at most"),
    hub: texts("HOST", "init: a host that receives what all send"),
    site: texts("NAME=HOST,…", "init: hosts behind one leaf node, which trust one another"),
    leaf: text("SITE", "init: print the configuration of this site's leaf node"),
    print: flag("init: only print, connect to nothing"),
    "max-bytes": text("SIZE", "init: how much the stream holds; 10gb where it is made"),
    "max-age": text("DURATION", "init: how long a frame stays in the stream; 7d where it is made"),
    replicas: text("N", "init: on how many servers of a cluster a frame lies; 1, 3 or 5"),
  },
  examples: [
    ["nerve fleet key hub web1", "two key pairs"],
    ["nerve fleet init hub=UAB… web1=UCD… --hub hub --print > nats.conf", "the server's configuration"],
    [
      "nerve fleet init hub=UAB… web1=UCD… --hub hub --site paris=web1 --leaf paris --print > leaf.conf",
      "the configuration of a site's leaf node",
    ],
    ["nerve fleet init", "makes the stream, once the server runs"],
    ["nerve fleet check", "before the daemon is reloaded"],
    ["nerve fleet forget web1", "web1 is gone for good"],
    ["nerve fleet status --live", "every host, and what it says of itself now"],
  ],
  async run({ arguments: [word = "", ...hosts], options, config, json }) {
    switch (word) {
      case "status":
        return status(hosts, options.live, config, json);
      case "forget":
        return forget(hosts, config, json);
      case "init":
        return init(hosts, options, config);
      case "key":
        return key(hosts, json);
      case "check":
        return check(config, json);
      default:
        return usageError(
          `\`nerve fleet\` does not know \`${word}\``,
          meantOr(word, ACTIONS, "one of status, forget, init, key, check"),
        );
    }
  },
});
