/** Which containers run, how healthy they are, and which were started again: docker's or podman's, by their socket. */
import { notBetween } from "drizzle-orm";
import type { Compute, SenseDatabase, Series } from "nerve";
import { isChosen } from "nerve/glob";
import { duration, type Infer, orNull, record, text, where, words } from "nerve/options";
import { declaration } from "nerve/payload";
import { lacking } from "nerve/sources";
import { type Container, inspect, listContainers, SOCKETS, socketOf } from "./engine.ts";
import { counters, samples } from "./schema.ts";

export const options = record({
  // The socket; null: that of docker, or else that of podman.
  socket: orNull(where(text(), (path) => path.startsWith("/"), "be an absolute path")),
  // Names, with `*` for anything.
  only: words(["*"]),
  except: words([]),
  keep: duration("7d", { min: "1m", max: "90d" }),
});

const COUNT = "number.integer >= 0";

export const payload = declaration({
  running: COUNT,
  stopped: COUNT,
  unhealthy: COUNT,
  restarted: COUNT,
  containers: [
    {
      name: "string",
      id: "string",
      image: "string",
      state: "string",
      health: "string | null",
      exit_code: "number.integer | null",
      oom_killed: "boolean",
      restarts: COUNT,
      restarted: COUNT,
      since: "number.integer | null",
    },
    "[]",
  ],
  more: COUNT,
});

/** More are counted, and not listed: a payload has 64 KiB. */
const LONGEST_LIST = 150;
/** So many are asked about at once. */
const AT_ONCE = 8;
const LONGEST_IMAGE = 120;

export const series: Series = {
  table: "samples",
  at: "at",
  numbers: { running: null, unhealthy: null, restarted: null },
};

export const compute: Compute<Infer<typeof options>> = async (db, _peers, { options: given, signal, now, log }) => {
  const socket = socketOf(given.socket);
  if (socket === null) {
    const missing = given.socket ?? SOCKETS.join(" and ");
    return lacking(db, log, `there is neither docker nor podman here (no ${missing}): there is nothing to see`);
  }
  const found = withRestarts(db, await containersIn(socket, given, signal));

  const counts = {
    running: found.filter(({ state }) => state === "running").length,
    unhealthy: found.filter(({ health }) => health === "unhealthy").length,
    restarted: found.reduce((sum, { restarted }) => sum + restarted, 0),
  };
  const { id } = db
    .insert(samples)
    .values({ at: now, ...counts })
    .returning({ id: samples.id })
    .get();
  if (id % 100 === 0)
    db.delete(samples)
      .where(notBetween(samples.at, now - given.keep, now + given.keep))
      .run();

  return {
    ...counts,
    stopped: found.length - counts.running,
    containers: found.slice(0, LONGEST_LIST),
    more: Math.max(0, found.length - LONGEST_LIST),
  };
};

async function containersIn(socket: string, { only, except }: Infer<typeof options>, signal: AbortSignal) {
  const chosen = (await listContainers(socket, signal)).filter(({ name }) => isChosen(name, only, except));
  const found: Container[] = [];
  for (let at = 0; at < chosen.length; at += AT_ONCE) {
    const some = await Promise.all(chosen.slice(at, at + AT_ONCE).map((one) => inspect(socket, one, signal)));
    found.push(...some.filter((one) => one !== null));
  }
  return found;
}

/** With how often each was started again since the last look. A container that is seen for the first time was not. */
function withRestarts(db: SenseDatabase, found: readonly Container[]) {
  const before = new Map(
    db
      .select()
      .from(counters)
      .all()
      .map(({ container, restarts }) => [container, restarts]),
  );
  const isSame = before.size === found.length && found.every(({ id, restarts }) => before.get(id) === restarts);
  if (!isSame) {
    db.delete(counters).run();
    for (const { id, restarts } of found) db.insert(counters).values({ container: id, restarts }).run();
  }
  return found.map(({ name, id, image, ...rest }) => {
    const last = before.get(id) ?? rest.restarts;
    // A start by hand sets the count back to 0.
    const restarted = rest.restarts >= last ? rest.restarts - last : rest.restarts;
    return { name, id, image: image.slice(0, LONGEST_IMAGE), ...rest, restarted };
  });
}
