/**
 * The real store, with somebody who looks on: what each transaction changes is told once it is committed. Commits can be
 * refused, and the kernel can crash in them.
 */
import type { Incident } from "../../src/model/incident-row.ts";
import type { NewLog } from "../../src/model/log.ts";
import type { Origin } from "../../src/model/origin.ts";
import type { Run } from "../../src/model/run.ts";
import type { ArchiveFile } from "../../src/store/archive-names.ts";
import type { Store } from "../../src/store/open.ts";
import type { ReflexState } from "../../src/store/reflex-state.ts";
import type { Owed, Quarantine } from "../../src/store/sense-state.ts";
import type { NewRemoteSignal, NewSignal } from "../../src/store/signals.ts";

export type Change =
  | { readonly kind: "signal"; readonly id: number; readonly signal: NewSignal }
  | { readonly kind: "log"; readonly id: number; readonly log: NewLog; readonly digest: number }
  | { readonly kind: "run"; readonly isNew: boolean; readonly run: Run }
  | { readonly kind: "incident"; readonly row: Incident }
  | { readonly kind: "owed"; readonly sense: string; readonly owed: Owed | null }
  | { readonly kind: "outbox"; readonly sense: string; readonly row: number }
  | { readonly kind: "quarantine"; readonly sense: string; readonly quarantine: Quarantine | null }
  | { readonly kind: "reflex"; readonly row: ReflexState }
  | { readonly kind: "forgotten"; readonly reflex: string; readonly key: string | null }
  | { readonly kind: "switched"; readonly name: string; readonly enabled: boolean }
  | { readonly kind: "meta"; readonly key: string; readonly value: string | null }
  | { readonly kind: "archived"; readonly file: ArchiveFile }
  | { readonly kind: "unarchived"; readonly file: ArchiveFile }
  | { readonly kind: "item"; readonly id: number; readonly sense: string; readonly body: string }
  | { readonly kind: "item-gone"; readonly id: number }
  | { readonly kind: "remote"; readonly id: number; readonly signal: NewRemoteSignal }
  | { readonly kind: "origin"; readonly row: Origin }
  | { readonly kind: "removed-signals"; readonly count: number };

/** The kernel ends at this point, as at a kill. */
export class Crash extends Error {
  override readonly name = "Crash";
}

/** What becomes of a commit. */
export type Fate = "kept" | "crash-before" | "crash-after" | { readonly code: string };

export interface StoreWatcher {
  /** Asked before each commit. */
  fate(): Fate;
  committed(changes: readonly Change[]): void;
  /** SQLite takes no commit at the moment. */
  refused(): void;
  /** The kernel reads which senses and reflexes are switched off: a configuration comes into force. */
  seats(): void;
  /** The kernel has crashed, and may touch nothing any more. */
  readonly isOver: boolean;
}

function watchArchive({ archive }: Store, told: (change: Change) => void): void {
  const add = archive.add.bind(archive);
  const forget = archive.forget.bind(archive);
  archive.add = (file) => {
    add(file);
    told({ kind: "archived", file });
  };
  archive.forget = (file) => {
    forget(file);
    told({ kind: "unarchived", file });
  };
}

function watchInbox({ inbox }: Store, told: (change: Change) => void): void {
  const append = inbox.append.bind(inbox);
  const remove = inbox.remove.bind(inbox);
  inbox.append = (item) => {
    const id = append(item);
    told({ kind: "item", id, sense: item.sense, body: item.body });
    return id;
  };
  inbox.remove = (id) => {
    told({ kind: "item-gone", id });
    return remove(id);
  };
}

export const digestOf = (id: number, { at, level, source, event, run, trace, message, data }: NewLog): number =>
  Bun.hash.crc32(`${id} ${at} ${level} ${source} ${event} ${run} ${trace} ${message.length} ${message} ${data}`);

export function watchedStore(store: Store, watcher: StoreWatcher): Store {
  let changes: Change[] = [];
  const told = (change: Change): void => void changes.push(change);
  const commit = <T>(change: () => T): T => {
    if (watcher.isOver) throw new Crash();
    const fate = watcher.fate();
    changes = [];
    const result = store.commit(() => {
      const value = change();
      if (fate === "crash-before") throw new Crash();
      if (typeof fate === "object") watcher.refused();
      if (typeof fate === "object") throw Object.assign(new Error(`SQLite says ${fate.code}`), { code: fate.code });
      return value;
    });
    const kept = changes;
    changes = [];
    watcher.committed(kept);
    if (fate === "crash-after") throw new Crash();
    return result;
  };
  watchArchive(store, told);
  watchInbox(store, told);
  return {
    ...store,
    commit,
    signals: {
      ...store.signals,
      append(signal) {
        const id = store.signals.append(signal);
        told({ kind: "signal", id, signal });
        return id;
      },
      appendMany(signals) {
        const first = store.signals.appendMany(signals);
        for (const [nth, signal] of signals.entries()) told({ kind: "signal", id: first + nth, signal });
        return first;
      },
      appendRemote(signal) {
        const id = store.signals.appendRemote(signal);
        told({ kind: "remote", id, signal });
        return id;
      },
      removeOldest(cutoff, now, limit) {
        const count = store.signals.removeOldest(cutoff, now, limit);
        if (count > 0) told({ kind: "removed-signals", count });
        return count;
      },
    },
    logs: {
      ...store.logs,
      append(log) {
        const id = store.logs.append(log);
        told({ kind: "log", id, log, digest: digestOf(id, log) });
        return id;
      },
    },
    runs: {
      ...store.runs,
      insert(...runs) {
        store.runs.insert(...runs);
        for (const run of runs) told({ kind: "run", isNew: true, run });
      },
      update(...runs) {
        store.runs.update(...runs);
        for (const run of runs) told({ kind: "run", isNew: false, run });
      },
    },
    origins: {
      ...store.origins,
      put(row) {
        store.origins.put(row);
        told({ kind: "origin", row });
      },
    },
    incidents: {
      ...store.incidents,
      put(row) {
        store.incidents.put(row);
        told({ kind: "incident", row });
      },
    },
    senses: {
      ...store.senses,
      setOwed(changes) {
        store.senses.setOwed(changes);
        for (const { sense, owed } of changes) told({ kind: "owed", sense, owed });
      },
      setOutbox(rows) {
        store.senses.setOutbox(rows);
        for (const { sense, outbox: row } of rows) told({ kind: "outbox", sense, row });
      },
      setQuarantine(sense, quarantine) {
        store.senses.setQuarantine(sense, quarantine);
        told({ kind: "quarantine", sense, quarantine });
      },
    },
    reflexes: {
      ...store.reflexes,
      set(row) {
        store.reflexes.set(row);
        told({ kind: "reflex", row });
      },
      forget(reflex, key) {
        store.reflexes.forget(reflex, key);
        told({ kind: "forgotten", reflex, key });
      },
      clear(reflex) {
        store.reflexes.clear(reflex);
        told({ kind: "forgotten", reflex, key: null });
      },
    },
    switches: {
      ...store.switches,
      disabled() {
        watcher.seats();
        return store.switches.disabled();
      },
      enable(name) {
        store.switches.enable(name);
        told({ kind: "switched", name, enabled: true });
      },
      disable(name, at) {
        store.switches.disable(name, at);
        told({ kind: "switched", name, enabled: false });
      },
    },
    meta: {
      get: (key: string) => store.meta.get(key),
      count: (key: string) => store.meta.count(key),
      damaged: (key: string, value: unknown) => store.meta.damaged(key, value),
      set(key: string, value: string) {
        store.meta.set(key, value);
        told({ kind: "meta", key, value });
      },
      unset(key: string) {
        store.meta.unset(key);
        told({ kind: "meta", key, value: null });
      },
    } as unknown as Store["meta"],
    close() {
      if (watcher.isOver) throw new Crash();
      store.close();
    },
  };
}
