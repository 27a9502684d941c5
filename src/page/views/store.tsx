/** *Store*: how much is on disk, where that leads to, and whether it is proven sound. */

import type { DeathsAnswer } from "../../web/contract.ts";
import type { ConfigAnswer, SilencesAnswer, StoreAnswer } from "../../web/contract-host.ts";
import { apiPath } from "../data/api.ts";
import { type Freshness, useAnswer } from "../data/ask.ts";
import { At, Command, Facts, Foreign, Panel, Sentence, StatusMark } from "../parts/basics.tsx";
import { Answered } from "../parts/controls.tsx";
import { Icon } from "../parts/icon.tsx";
import { newestFirst } from "../parts/listing.tsx";
import { bytes, count, percent, span, took } from "../words/numbers.ts";
import { shellWord } from "../words/payload.ts";
import { left, moment } from "../words/times.ts";
import { Json } from "./story/detail.tsx";

const SLOW: Freshness = { everyMs: 10_000, after: [] };
const SELDOM: Freshness = { everyMs: 60_000, after: [] };

const DAY_MS = 86_400_000;
/** What is kept only so that a full disk can be dealt with. */
const BALLAST = "ballast";

interface TileProps {
  readonly what: string;
  readonly value: string;
  readonly note: string;
}

const Tile = ({ what, value, note }: TileProps) => (
  <div class="panel tile">
    <span class="k">{what}</span>
    <b>{value}</b>
    <span class="s">{note}</span>
  </div>
);

/** The longer of the two retentions is when the tables stop growing; null: something is kept for ever, or the growth is not known. */
function levelOf({ growth_per_day: growth, retention }: StoreAnswer): number | null {
  const { logs_ms: logs, signals_ms: signals } = retention;
  return growth === null || logs === null || signals === null ? null : (growth * Math.max(logs, signals)) / DAY_MS;
}

function Tiles({ store }: { readonly store: StoreAnswer }) {
  const { files, free_bytes: free, growth_per_day: growth, retention } = store;
  const all = files.reduce((sum, file) => sum + file.bytes, 0);
  const ballast = files.filter(({ name }) => name === BALLAST).reduce((sum, file) => sum + file.bytes, 0);
  const level = levelOf(store);
  const forEver = [retention.signals_ms === null ? "signals" : "", retention.logs_ms === null ? "logs" : ""];
  const kinds = forEver.filter((kind) => kind !== "").join(" and ");
  const endless = kinds === "" ? "" : `${kinds} are kept for ever`;
  const longest = Math.max(retention.logs_ms ?? 0, retention.signals_ms ?? 0);
  const fits = free !== null && level !== null && level - (all - ballast) < free;
  const days = free === null || growth === null || growth <= 0 ? null : free / growth;
  return (
    <div class="tiles">
      <Tile what="On disk" value={bytes(all)} note={`${bytes(all - ballast)} data, ${bytes(ballast)} ballast`} />
      <Tile
        what="Growth"
        value={growth === null ? "–" : `${bytes(growth)}/day`}
        note={growth === null ? "less than an hour of rows" : "by the rows of the last day"}
      />
      <Tile
        what="Levels off at"
        value={level === null ? (endless === "" ? "–" : "never") : bytes(level)}
        note={level === null ? endless || "less than an hour of rows" : `after ${span(longest)} of retention`}
      />
      <Tile
        what="Days to full"
        value={free === 0 ? "full" : fits ? "never" : days === null ? "–" : days < 1 ? "today" : count(days)}
        note={free === null ? "free space is not known" : `${bytes(free)} free`}
      />
    </div>
  );
}

/** A database, its write-ahead log and the index of that as one. */
function together(files: StoreAnswer["files"]): StoreAnswer["files"] {
  const sizes = new Map<string, number>();
  for (const { name, bytes: size } of files) {
    const base = name.replace(/-(wal|shm)$/, "");
    sizes.set(base, (sizes.get(base) ?? 0) + size);
  }
  return [...sizes].map(([name, size]) => ({ name, bytes: size }));
}

function Files({ store }: { readonly store: StoreAnswer }) {
  const shown = together(store.files.filter(({ name }) => name !== BALLAST));
  const all = Math.max(
    shown.reduce((sum, file) => sum + file.bytes, 0),
    1,
  );
  const sorted = [...shown].sort((a, b) => b.bytes - a.bytes);
  const ballast = store.files.find(({ name }) => name === BALLAST);
  return (
    <Panel title="Files" aside="data and write-ahead log together">
      <table class="cards files">
        <colgroup>
          <col class="w-file" />
          <col class="c-sm" />
          <col class="w-share c-sm" />
          <col class="w-size" />
        </colgroup>
        <thead>
          <tr>
            <th>File</th>
            <th class="c-sm">Share</th>
            <th class="c-sm r">%</th>
            <th class="r">Size</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map(({ name, bytes: size }) => (
            <tr key={name}>
              <td class="mono tr" title={name}>
                {name}
              </td>
              <td class="c-sm">
                <div class="meter">
                  <i style={{ width: `${(size / all) * 100}%` }} />
                </div>
              </td>
              <td class="r d c-sm">{percent((size / all) * 100)}</td>
              <td class="r e">{bytes(size)}</td>
            </tr>
          ))}
          {ballast === undefined ? null : (
            <tr>
              <td class="mono">{BALLAST}</td>
              <td class="c-sm s">given free when the disk is full</td>
              <td class="c-sm" />
              <td class="r e d">{bytes(ballast.bytes)}</td>
            </tr>
          )}
        </tbody>
      </table>
    </Panel>
  );
}

function Verify({ store }: { readonly store: StoreAnswer }) {
  const { verify, unverified } = store;
  const mark =
    verify?.state === "ok"
      ? ({ icon: "ok", word: "ok", tone: "ok" } as const)
      : ({ icon: "fail", word: "damaged", tone: "crit" } as const);
  return (
    <>
      {verify === null ? null : (
        <>
          <StatusMark mark={mark} /> <Foreign text={verify.message} />, <At at={verify.at} />
        </>
      )}
      {unverified === null ? null : (
        <div class="s">
          <Sentence text={unverified} />
        </div>
      )}
    </>
  );
}

const kept = (ms: number | null): string => (ms === null ? "for ever" : span(ms));

const Proofs = ({ store }: { readonly store: StoreAnswer }) => (
  <Panel title="Kept" aside={null}>
    <div class="pb">
      <Facts
        rows={[
          [
            "Signals",
            `${kept(store.retention.signals_ms)}${store.signals.since === null ? "" : `, since ${moment(store.signals.since)}`}`,
          ],
          [
            "Logs",
            `${kept(store.retention.logs_ms)}${store.logs.since === null ? "" : `, since ${moment(store.logs.since)}`}`,
          ],
          [
            "Watermark",
            store.archived_up_to === 0
              ? "no log is in the archive yet"
              : `logs up to ${count(store.archived_up_to)} are in the archive`,
          ],
          [
            "Archive",
            store.archive.files === 0
              ? "no file yet"
              : `${count(store.archive.files)} files, ${count(store.archive.rows)} logs, ${bytes(store.archive.bytes)}, kept ${kept(store.retention.archive_ms)}`,
          ],
          ["Proof", <Verify store={store} />],
          ["Commits", store.slowest_commit_ms === null ? "–" : `the slowest took ${took(store.slowest_commit_ms)}`],
          [
            "Type",
            <span class="cmds">
              <Command text="nerve archive verify" />
              <Command text="nerve rebuild --check" />
              <Command text="nerve backup DIR" />
            </span>,
          ],
        ]}
      />
    </div>
  </Panel>
);

function Silences() {
  const { value } = useAnswer<SilencesAnswer>(apiPath("silences", {}), SLOW);
  if (value === null || value.silences.length === 0) return null;
  return (
    <Panel title="Silences" aside={null}>
      {value.silences.map(({ pattern, why, until, reflexes }) => (
        <div class="kv" key={`${pattern} ${until}`}>
          <span class="b tr">
            <Foreign text={pattern} />
          </span>
          <span>{left(until)} left</span>
          <span class="s">
            <Foreign text={`${why} · ${reflexes.join(", ")}`} />
          </span>
          <Command text={`nerve silence ${shellWord(pattern)} --end`} />
        </div>
      ))}
    </Panel>
  );
}

function Deaths() {
  const { value } = useAnswer<DeathsAnswer>(apiPath("deaths", { limit: 10 }), SLOW);
  if (value === null || value.rows.length === 0) return null;
  return (
    <Panel title="Deaths of workers" aside="newest first">
      {newestFirst(value.rows).map((log) => (
        <div class="kv one" key={log.id}>
          <span class="tr" title={log.message}>
            <Foreign text={log.message} />
          </span>
          <span class="s">
            <At at={log.at} />
          </span>
        </div>
      ))}
    </Panel>
  );
}

function Config() {
  const { value } = useAnswer<ConfigAnswer>(apiPath("config", {}), SELDOM);
  if (value === null) return null;
  return (
    <details class="panel config">
      <summary class="ph">
        <Icon name="right" />
        <h2>Config</h2>
        <span class="s">
          {value.file}, loaded {moment(value.loaded_at)}
        </span>
      </summary>
      <div class="pb">
        <Json value={value.config} />
      </div>
    </details>
  );
}

export function Store() {
  const path = apiPath("store", {});
  const asked = useAnswer<StoreAnswer>(path, SLOW);
  return (
    <Answered path={path} asked={asked}>
      {(store) => (
        <div class="stack">
          <Tiles store={store} />
          <div class="two even">
            <Files store={store} />
            <div class="stack">
              <Proofs store={store} />
              <Silences />
              <Deaths />
            </div>
          </div>
          <Config />
        </div>
      )}
    </Answered>
  );
}
