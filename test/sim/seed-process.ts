/** A process that simulates one seed after the other, for whoever started it. Its hosts lie where those of every process do. */
import { mkdirSync, rmSync } from "node:fs";
import { HERE, HOSTS, simulated } from "./simulate.ts";
import { type Task, toldOf } from "./told.ts";

mkdirSync(HOSTS, { recursive: true });
process.chdir(HOSTS);
process.on("exit", () => rmSync(HOSTS, { recursive: true, force: true }));
process.on("disconnect", () => process.exit());
process.on("message", ({ seed, size }: Task) => {
  const cpu = process.cpuUsage();
  void simulated(seed, size, false, HERE).then((outcome) => {
    const { user, system } = process.cpuUsage(cpu);
    process.send?.(toldOf(outcome, (user + system) / 1_000));
  });
});
