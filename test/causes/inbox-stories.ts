/** Nights of what comes from outside: items that nobody takes, what does not come, deliveries and watches. */
import type { Night } from "./night.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const INBOX_NIGHTS: readonly Night[] = [
  {
    title: "a bad item is dead, and the sense is well",
    config: "senses: { deploys: { inbox: {} } }\n",
    asked: [null, "deploys"],
    async make(bench) {
      bench.fails("deploys", "bad", "Error: a deploy has no version");
      await bench.wait(2 * HOUR);
      await bench.push("deploys", ["bad"]);
      await bench.push("deploys", ["good"]);
      await bench.wait(20 * MINUTE);
      await bench.push("deploys", ["good"]);
      await bench.wait(MINUTE);
    },
  },
  {
    title: "an inbox is full, for its sense fails",
    config: "senses: { deploys: { inbox: { max: 3 } } }\n",
    asked: [null],
    async make(bench) {
      bench.fails("deploys", null, "Error: the database is locked");
      await bench.wait(HOUR);
      await bench.push("deploys", [1, 2, 3]);
      await bench.wait(20 * MINUTE);
    },
  },
  {
    title: "an inbox is full, for its sense is disabled",
    config: "senses: { deploys: { inbox: { max: 3 } } }\n",
    asked: [null, "deploys"],
    async make(bench) {
      await bench.wait(HOUR);
      await bench.disable("sense:deploys");
      await bench.push("deploys", [1, 2, 3]);
      await bench.wait(20 * MINUTE);
    },
  },
  {
    title: "an inbox waits, for its reflex is disabled",
    config: "senses: { deploys: { inbox: {} } }\n",
    asked: ["deploys"],
    async make(bench) {
      await bench.wait(HOUR);
      await bench.disable("reflex:deploys#inbox");
      await bench.push("deploys", [1, 2]);
      await bench.wait(20 * MINUTE);
    },
  },
  {
    title: "a host lacks what a sense looks at",
    config: "senses: { docker: { throttle: 1m } }\nreflexes: [{ sense: docker, interval: 1m }]\n",
    asked: ["docker"],
    async make(bench) {
      await bench.wait(MINUTE);
      await bench.says("docker", "there is no socket at /var/run/docker.sock, so nothing is looked at");
      await bench.wait(30 * HOUR);
    },
  },
  {
    title: "a backup did not come",
    config: `senses: { backup: { inbox: {}, expect_every: 25h } }
reflexes: [{ name: backup-failed, workflow: tell, on: [backup] }]
workflows: { tell: { use: notify } }
`,
    asked: [null],
    async make(bench) {
      await bench.push("backup", [{ exit_code: 0 }]);
      await bench.wait(26 * HOUR);
    },
  },
  {
    title: "a workflow has not completed for a day",
    config: `workflows: { copy: { use: exec, with: { command: ["true"] }, expect_every: 25h } }
reflexes: [{ workflow: copy, interval: 5h }]
`,
    asked: [null, "copy"],
    async make(bench) {
      await bench.wait(6 * HOUR);
      bench.never("copy");
      await bench.wait(30 * HOUR);
    },
  },
  {
    title: "signals wait to be delivered to a sense that fails",
    config: `senses: { memory: , rollup: }
reflexes: [{ sense: memory, interval: 1m }, { sense: rollup, on: [memory], deliver: true }]
`,
    asked: [null],
    async make(bench) {
      bench.sees("memory", { used_percent: 10 });
      bench.fails("rollup", null, "Error: no such table: totals");
      await bench.wait(20 * MINUTE);
    },
  },
  {
    title: "what a reflex watches cannot be seen",
    config: "senses: { spool: }\nreflexes: [{ sense: spool, watch: { dir: /srv/spool } }]\n",
    asked: ["spool"],
    async make(bench) {
      const text =
        "/srv/spool: /srv/spool is on NFS: what other hosts write is not seen, only the interval of the reflex finds that";
      bench.paths.limits = [{ id: "spool#1", text }];
      bench.sees("spool", { jobs: 3 });
      await bench.wait(10 * MINUTE);
    },
  },
];
