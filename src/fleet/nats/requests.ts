/** Requests of JetStream's own protocol, each answered by a value: what was asked for, or the refusal in nerve's words. */
import type { Msg, MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import type { Trouble } from "../engine/engine.ts";
import { type Parties, type Refusal, refusedBy, requestTrouble, unheardBy } from "./words.ts";

const REQUEST_MS = 4_000;

export type Answered<Value> = { readonly kind: "answered"; readonly value: Value } | Trouble;

export class Requests {
  readonly #connection: NatsConnection;
  readonly #parties: Parties;
  /** Where JetStream is asked. Behind a leaf node JetStream has a domain. */
  readonly #prefix: string;

  constructor(connection: NatsConnection, parties: Parties) {
    const { domain } = parties;
    this.#connection = connection;
    this.#parties = parties;
    this.#prefix = domain === null ? "$JS.API" : `$JS.${domain}.API`;
  }

  api(name: string): string {
    return `${this.#prefix}.${name}`;
  }

  async message(
    subject: string,
    body: Uint8Array | string,
    headers: MsgHdrs | null,
    limitMs = REQUEST_MS,
  ): Promise<Answered<Msg>> {
    try {
      const options = { timeout: limitMs, ...(headers === null ? {} : { headers }) };
      return { kind: "answered", value: await this.#connection.request(subject, body, options) };
    } catch (error) {
      return requestTrouble(error, subject, this.#parties);
    }
  }

  /** The answer is JSON. `refused`: what to make of a refusal; null: the usual words. */
  async json<Value>(
    subject: string,
    body: Uint8Array | string,
    headers: MsgHdrs | null,
  ): Promise<Answered<Value> | { readonly kind: "refused"; readonly refusal: Refusal }> {
    const answer = await this.message(subject, body, headers);
    if (answer.kind !== "answered") return answer;
    const parsed = parseAnswer(answer.value);
    if (parsed === null)
      return { kind: "offline", why: `${this.#parties.server} answered ${subject} with what is no JSON object` };
    const { error } = parsed as { readonly error?: Refusal };
    if (error !== undefined) return { kind: "refused", refusal: error };
    return { kind: "answered", value: parsed as Value };
  }

  /** As `json`; a refusal is in the usual words. */
  async ask<Value>(name: string, body: object | null): Promise<Answered<Value>> {
    const answer = await this.json<Value>(this.api(name), body === null ? "" : JSON.stringify(body), null);
    return answer.kind === "refused" ? this.refused(answer.refusal) : answer;
  }

  /** Nothing takes what is sent to `subject`. */
  unheard(subject: string): Trouble {
    return unheardBy(subject, this.#parties);
  }

  refused(refusal: Refusal): Trouble {
    return refusedBy(refusal, this.#parties);
  }
}

function parseAnswer(message: Msg): object | null {
  try {
    const value: unknown = message.json();
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
}
