/** Owns who may push where: each sense's token, and the token in its ping URL. */
import { createHash } from "node:crypto";
import { isSame, pingToken } from "../tokens/passes.ts";
import { senseToken, TokenWatch } from "../tokens/token-files.ts";

interface Door {
  readonly token: TokenWatch;
  readonly secret: string | null;
}

const printOf = (token: string): string => createHash("sha256").update(token).digest("base64");

export class Senders {
  readonly #data: string;
  #doors: ReadonlyMap<string, Door> = new Map();
  /** Of ping tokens their senses, by the digest of the token; made anew when a token is another. */
  #pings: ReadonlyMap<string, string> = new Map();
  #present = "";

  constructor(data: string) {
    this.#data = data;
  }

  /** The senses with an inbox from now on. */
  configure(senses: readonly { readonly name: string; readonly secret: string | null }[]): void {
    this.#doors = new Map(
      senses.map(({ name, secret }) => {
        const token = this.#doors.get(name)?.token ?? new TokenWatch(this.#data, senseToken(name));
        return [name, { token, secret }];
      }),
    );
  }

  has(sense: string): boolean {
    return this.#doors.has(sense);
  }

  secretOf(sense: string): string | null {
    return this.#doors.get(sense)?.secret ?? null;
  }

  opens(given: string, sense: string): boolean {
    const token = this.#doors.get(sense)?.token.present ?? null;
    return token !== null && isSame(given, token);
  }

  /** Whether it is the token of any sense. */
  opensSome(given: string): boolean {
    return [...this.#doors.keys()].map((sense) => this.opens(given, sense)).includes(true);
  }

  /** The sense that a ping token pings; null: none. */
  pingedBy(given: string): string | null {
    const tokens = [...this.#doors].map(([name, { token }]) => [name, token.present] as const);
    const present = JSON.stringify(tokens);
    if (present !== this.#present) {
      this.#present = present;
      this.#pings = new Map(
        tokens.flatMap(([name, token]) => (token === null ? [] : [[printOf(pingToken(token, name)), name]])),
      );
    }
    return this.#pings.get(printOf(given)) ?? null;
  }
}
