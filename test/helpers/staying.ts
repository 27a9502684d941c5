/** A process that stays after it was killed: a thread of it is traced, and the tracer does not take its end. */
import { until } from "./until.ts";

/** PTRACE_SEIZE: the thread goes on, and its end waits for the tracer. Of any thread but the first: the process goes last. */
const TRACER = `import { dlopen } from "bun:ffi";
import { readdirSync } from "node:fs";
const pid = Number(process.argv[1]);
const { symbols } = dlopen("libc.so.6", { ptrace: { args: ["i64", "i64", "i64", "i64"], returns: "i64" } });
const thread = readdirSync("/proc/" + pid + "/task").map(Number).find((one) => one !== pid);
if (symbols.ptrace(0x4206, thread, 0, 0) !== 0n) process.exit(1);
console.log("traced");
setInterval(() => {}, 1_000);`;

/** From now on `pid` stays, killed or not, until this is disposed. */
export async function staying(pid: number): Promise<AsyncDisposable> {
  const tracer = Bun.spawn([process.execPath, "-e", TRACER, String(pid)], { stdout: "pipe", stderr: "inherit" });
  let said = "";
  void (async () => {
    for await (const part of tracer.stdout.pipeThrough(new TextDecoderStream())) said += part;
  })();
  await until("the process is traced", () => {
    if (tracer.exitCode !== null) throw new Error(`process ${pid} cannot be traced here`);
    return said.includes("traced");
  });
  return {
    async [Symbol.asyncDispose]() {
      tracer.kill();
      await tracer.exited;
    },
  };
}
