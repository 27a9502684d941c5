/** Two hosts of a fleet as processes that may be killed at any moment, and what is compared of their databases afterwards. */
import { CrashSite, type Kernel } from "../helpers/crash.ts";
import { keysOf } from "../helpers/nats.ts";
import { childrenOf, commandOf, sendSignal } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";

const SENT = ["moody", "fickle"];

export interface Row {
  readonly id: number;
  readonly sense: string;
  readonly at: number;
  readonly trace: string;
  readonly payload: string;
}

const config = (host: string, url: string): string => `
host: ${host}
data: DATA
durability: full
fleet: { servers: ["${url}"], nkey: ${keysOf(host).seed}, send: [${SENT.join(", ")}], receive: ["*/*"], every: 250ms, beat: 1s }
senses: { moody: {}, fickle: {} }
reflexes:
  - { sense: moody, interval: 50ms }
  - { sense: fickle, interval: 40ms }
`;

export function copyFolder(from: string, to: string): void {
  const { exitCode, stderr } = Bun.spawnSync(["cp", "-a", from, to]);
  if (exitCode !== 0) throw new Error(`cp: ${stderr}`);
}

export class FleetSite implements AsyncDisposable {
  readonly name: string;
  readonly site: CrashSite;
  kernel: Kernel;

  /** `data`: a folder of which its data is a copy; null: it begins with nothing. */
  constructor(name: string, url: string, data: string | null = null) {
    this.name = name;
    this.site = new CrashSite(SENT, config(name, url));
    if (data !== null) copyFolder(data, this.site.data);
    this.kernel = this.site.start();
  }

  /** The kernel, and with it all its processes. */
  async killKernel(): Promise<void> {
    if (this.kernel.ended !== null)
      throw new Error(`the kernel of ${this.name} ended by itself (${this.kernel.ended}): ${this.kernel.lastWords()}`);
    await this.kernel.kill();
    this.kernel = this.site.start();
  }

  async killFleet(): Promise<void> {
    await until(`a fleet process of ${this.name} is killed`, () => {
      const pid = childrenOf(this.kernel.pid).find((child) => commandOf(child).includes("__fleet"));
      return pid !== undefined && sendSignal(pid, "SIGKILL");
    });
  }

  /** How far the stream has acknowledged, as far as the kernel has committed that, and where its first kernel began since. */
  cursor(): { readonly upto: number; readonly firstStartedAt: number } {
    return this.site.ask({ upto: 0, firstStartedAt: 0 }, (db) => {
      const row = db.query<{ value: string }, []>("SELECT value FROM meta WHERE key = 'fleet.out'").get();
      return row === null ? { upto: 0, firstStartedAt: 0 } : JSON.parse(row.value);
    });
  }

  /** Nothing new is made here from now on. */
  async rest(): Promise<void> {
    await this.kernel.up();
    const socket = `${this.site.data}/nerve.sock`;
    for (const name of SENT) {
      const body = JSON.stringify({ name });
      await fetch("http://nerve/disable", { unix: socket, method: "POST", body });
    }
    await until(`${this.name} makes nothing more`, () => this.site.isAtRest());
  }

  own(): readonly Row[] {
    return this.site.ask([], (db) =>
      db
        .query<Row, []>(
          "SELECT id, sense, at, trace, payload FROM signals WHERE origin IS NULL AND sense IN ('moody', 'fickle') ORDER BY id",
        )
        .all(),
    );
  }

  /** In the order in which they were stored here. */
  of(host: string): readonly Row[] {
    return this.site.ask([], (db) =>
      db
        .query<Row, [string]>(
          "SELECT origin_id AS id, sense, origin_at AS at, trace, payload FROM signals WHERE origin = ? AND sense <> 'presence' ORDER BY signals.id",
        )
        .all(host),
    );
  }

  count(event: string): number {
    return this.site.ask(
      0,
      (db) => db.query<{ n: number }, [string]>("SELECT count(*) AS n FROM logs WHERE event = ?").get(event)?.n ?? 0,
    );
  }

  /** How many epochs of `host` are known here. */
  epochs(host: string): number {
    return this.site.ask(
      0,
      (db) =>
        db
          .query<{ n: number }, [string]>(
            "SELECT count(DISTINCT epoch) AS n FROM (SELECT host, epoch FROM origins UNION SELECT host, epoch FROM origin_epochs) WHERE host = ?",
          )
          .get(host)?.n ?? 0,
    );
  }

  missing(): number {
    return this.site.ask(
      0,
      (db) => db.query<{ n: number }, []>("SELECT coalesce(sum(missing), 0) AS n FROM origins").get()?.n ?? 0,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site[Symbol.asyncDispose]();
  }
}

export const textOf = ({ id, sense, at, trace, payload }: Row): string =>
  JSON.stringify([id, sense, at, trace, payload]);

/** What is at `there` of what `here` made: nothing lost, nothing twice, nothing out of order, each value as it was. */
export function wrongBetween(here: FleetSite, there: FleetSite): readonly string[] {
  const made = here.own().map(textOf);
  const came = there.of(here.name).map(textOf);
  const wrong: string[] = [];
  for (let at = 0; at < Math.max(made.length, came.length) && wrong.length < 10; at++) {
    if (made[at] !== came[at])
      wrong.push(`${here.name} → ${there.name}, row ${at}: made ${made[at]}, came ${came[at]}`);
  }
  return wrong;
}

/** All that `here` made is at `there`. */
export const allThere = async (here: FleetSite, there: FleetSite): Promise<void> => {
  await until(`all of ${here.name} is at ${there.name}`, () => {
    const last = here.own().at(-1)?.id ?? 0;
    return (there.of(here.name).at(-1)?.id ?? 0) >= last;
  });
};
