/** Signal → reflex → compute → signal, saturated, beside bare inserts: pairs a second, each of two rows and three hops. */
import { type Figure, median, medianOf } from "../figures.ts";
import type { Setting } from "../setting.ts";
import { runFloor, runNerve, Site } from "../site.ts";
import { observe, processorFigure, rawInserts, type Window, whereItGoes } from "./flood.ts";

const PAIRS = 512;
const EVERY = "4ms";
const ANSWERS = "cause IS NOT NULL";

interface Round {
  readonly nerve: Window;
  readonly floor: Window;
  readonly raw: number;
}

function writeConfig(site: Site, durability: string): void {
  site.sense("fact", "payload(now)");
  site.sense("answer", "reaction(now)");
  const pairs = Array.from({ length: PAIRS }, (_, at) => at);
  const senses = pairs.map((at) => `  s${at}: { use: fact }\n  r${at}: { use: answer }`);
  const reflexes = pairs.map(
    (at) => `  - { sense: s${at}, interval: ${EVERY}, jitter: ${EVERY} }\n  - { sense: r${at}, on: [s${at}] }`,
  );
  const lines = ["data: ./data", `durability: ${durability}`, "senses:", ...senses, "reflexes:", ...reflexes, ""];
  site.write("nerve.yaml", lines.join("\n"));
}

export async function pairsOfNerve({ programs, spans }: Setting, durability: string): Promise<Window> {
  using site = new Site();
  writeConfig(site, durability);
  await using running = runNerve(programs.nerve, site);
  return await observe(running, spans, ANSWERS);
}

async function round(setting: Setting): Promise<Round> {
  const { programs, spans } = setting;
  const nerve = await pairsOfNerve(setting, "normal");
  using site = new Site();
  const raw = rawInserts("NORMAL", nerve.batch, spans);
  await using running = runFloor(programs.floor, site, "NORMAL", "react", 0);
  return { nerve, raw, floor: await observe(running, spans, ANSWERS) };
}

export async function react(setting: Setting): Promise<Figure[]> {
  const rounds: Round[] = [];
  for (let turn = 0; turn < setting.rounds; turn++) rounds.push(await round(setting));
  const nerve = medianOf(rounds, (each) => each.nerve.rate);
  const shown = rounds.find((each) => each.nerve.rate >= nerve);
  const ofRaw = medianOf(rounds, (each) => each.floor.rate / each.raw);
  return [
    {
      suite: "react",
      name: "pairs, beside bare inserts",
      unit: "pairs/s",
      floor: medianOf(rounds, (each) => each.raw),
      nerve,
      ratio: median(rounds.map((each) => each.nerve.rate / each.raw)),
      target: { atLeast: 0.2 },
      detail: shown ? `a pair: ${whereItGoes(shown.nerve)}` : "",
    },
    {
      suite: "react",
      name: "pairs, beside the floor",
      unit: "pairs/s",
      floor: medianOf(rounds, (each) => each.floor.rate),
      nerve,
      ratio: median(rounds.map((each) => each.nerve.rate / each.floor.rate)),
      target: null,
      detail: shown ? `the floor has ${ofRaw.toFixed(2)} of bare inserts: ${whereItGoes(shown.floor)}` : "",
    },
    processorFigure("react", "pairs", rounds),
  ];
}
