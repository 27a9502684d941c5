/** Owns the voice of one source: an event of the table at one of its levels, with the `data` of the table. */
import type { Json } from "../../base/json.ts";
import type { EventAt, EventData, EventName } from "../../model/events.ts";
import type { LogLevel, NewLog } from "../../model/log.ts";

export interface JournalEntry {
  readonly level: LogLevel;
  /** `kernel`, `sense:NAME`, `reflex:NAME`, `workflow:NAME`. */
  readonly source: string;
  readonly event: EventName;
  readonly message: string;
  readonly data: Json;
  readonly trace: string | null;
}

/** The row of an entry with the time `at`. */
export const rowOf = ({ level, source, event, message, data, trace }: JournalEntry, at: number): NewLog => ({
  at,
  level,
  source,
  event,
  run: null,
  trace,
  message,
  data: data === null ? null : JSON.stringify(data),
});

export class Voice {
  readonly #source: string;
  readonly #trace: string | null;
  readonly #take: (entry: JournalEntry) => void;

  constructor(source: string, trace: string | null, take: (entry: JournalEntry) => void) {
    this.#source = source;
    this.#trace = trace;
    this.#take = take;
  }

  debug<Name extends EventAt<"debug">>(event: Name, message: string, data: EventData<Name>): void {
    this.#say("debug", event, message, data);
  }

  info<Name extends EventAt<"info">>(event: Name, message: string, data: EventData<Name>): void {
    this.#say("info", event, message, data);
  }

  warn<Name extends EventAt<"warn">>(event: Name, message: string, data: EventData<Name>): void {
    this.#say("warn", event, message, data);
  }

  error<Name extends EventAt<"error">>(event: Name, message: string, data: EventData<Name>): void {
    this.#say("error", event, message, data);
  }

  #say(level: LogLevel, event: EventName, message: string, data: unknown): void {
    const [source, trace] = [this.#source, this.#trace];
    this.#take({ level, source, event, message, data: data as Json, trace });
  }
}
