/** Durable signals a second, saturated: more senses due than can be computed, beside bare inserts of the same rows. */
import { type Figure, median, medianOf } from "../figures.ts";
import type { Setting } from "../setting.ts";
import { runFloor, runNerve, Site } from "../site.ts";
import { observe, processorFigure, rawInserts, type Window, whereItGoes } from "./flood.ts";

const SENSES = 2_048;
/** Offers 410,000 a second: more than the target asks for on any machine that was seen. */
const EVERY = "5ms";

interface Round {
  readonly nerve: Window;
  readonly floor: Window;
  readonly raw: number;
}

function writeConfig(site: Site, durability: string): void {
  site.sense("fact", "payload(now)");
  const names = Array.from({ length: SENSES }, (_, at) => `s${at}`);
  const senses = names.map((name) => `  ${name}: { use: fact }`);
  const reflexes = names.map((name) => `  - { sense: ${name}, interval: ${EVERY}, jitter: ${EVERY} }`);
  site.write(
    "nerve.yaml",
    ["data: ./data", `durability: ${durability}`, "senses:", ...senses, "reflexes:", ...reflexes, ""].join("\n"),
  );
}

async function round({ programs, spans }: Setting, synchronous: string): Promise<Round> {
  using site = new Site();
  writeConfig(site, synchronous.toLowerCase());
  let nerve: Window;
  {
    await using running = runNerve(programs.nerve, site);
    nerve = await observe(running, spans);
  }
  const raw = rawInserts(synchronous, nerve.batch, spans);
  await using running = runFloor(programs.floor, site, synchronous, "flood", 0);
  return { nerve, raw, floor: await observe(running, spans) };
}

export async function signals(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const synchronous of ["NORMAL", "FULL"]) {
    const rounds: Round[] = [];
    for (let turn = 0; turn < setting.rounds; turn++) rounds.push(await round(setting, synchronous));
    const nerve = medianOf(rounds, (each) => each.nerve.rate);
    const raw = medianOf(rounds, (each) => each.raw);
    const floor = medianOf(rounds, (each) => each.floor.rate);
    const shown = rounds.find((each) => each.nerve.rate >= nerve) ?? rounds[0];
    const ofRaw = medianOf(rounds, (each) => each.floor.rate / each.raw);
    figures.push({
      suite: "signals",
      name: `durable, ${synchronous}, beside bare inserts`,
      unit: "rows/s",
      floor: raw,
      nerve,
      ratio: median(rounds.map((each) => each.nerve.rate / each.raw)),
      target: { atLeast: 0.5 },
      detail: shown ? whereItGoes(shown.nerve) : "",
    });
    figures.push({
      suite: "signals",
      name: `durable, ${synchronous}, beside the floor`,
      unit: "rows/s",
      floor,
      nerve,
      ratio: median(rounds.map((each) => each.nerve.rate / each.floor.rate)),
      target: null,
      detail: shown
        ? `the floor (one message a signal) has ${ofRaw.toFixed(2)} of bare inserts: ${whereItGoes(shown.floor)}`
        : "",
    });
    figures.push(processorFigure("signals", `durable, ${synchronous}`, rounds));
  }
  return figures;
}
