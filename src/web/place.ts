/** Owns what an answer is made of besides the kernel's look: the configuration in force, the store, the databases of senses. */

import { hostname } from "node:os";
import { join } from "node:path";
import { sha256 } from "../base/digest.ts";
import { ok, type Result } from "../base/result.ts";
import type { Secret, Secrets } from "../base/secrets.ts";
import type { NerveConfig } from "../model/config.ts";
import type { Problem } from "../model/problem.ts";
import { openStoreReader, type StoreReader } from "../store/open-reader.ts";

const INSTANCE_DIGITS = 8;

export class Place {
  readonly data: string;
  readonly version: string;
  readonly host = hostname();
  readonly tz = Intl.DateTimeFormat().resolvedOptions().timeZone;
  /** Tells instances apart whose pages one browser has open, tunnels included. */
  readonly instance: string;
  readonly secrets: Secrets;
  #config: NerveConfig;
  #loadedAt = Date.now();
  #store: StoreReader | null = null;

  constructor(data: string, version: string, config: NerveConfig, secrets: Secrets) {
    this.data = data;
    this.version = version;
    this.secrets = secrets;
    this.#config = config;
    this.instance = sha256(`${this.host}\0${data}`).slice(0, INSTANCE_DIGITS);
  }

  get config(): NerveConfig {
    return this.#config;
  }

  /** Unix milliseconds at which the configuration came into force, as far as this process has lived. */
  get loadedAt(): number {
    return this.#loadedAt;
  }

  configure(config: NerveConfig, secrets: readonly Secret[]): void {
    this.#config = config;
    this.#loadedAt = Date.now();
    this.secrets.learn(secrets);
  }

  /** Opened at the first question, so that a page that nobody looks at holds nothing open. */
  store(): Result<StoreReader, Problem> {
    if (this.#store !== null) return ok(this.#store);
    const opened = openStoreReader(this.data, () => {});
    if (opened.ok) this.#store = opened.value;
    return opened;
  }

  /** Something was wrong with it: the next question opens it anew. */
  forgetStore(): void {
    const store = this.#store;
    this.#store = null;
    try {
      store?.close();
    } catch {
      // It is given up in any case.
    }
  }

  senseFile(name: string): string {
    return join(this.data, "senses", `${name}.db`);
  }
}
