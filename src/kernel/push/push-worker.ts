/**
 * Owns the push process as the kernel sees it: it lives while the configuration has `push`, restarts like any worker, and brings
 * items for inboxes. Each answer leaves after the commit.
 */

import type { Given } from "../../inbox/given.ts";
import type { Offered } from "../../inbox/offered.ts";
import { parsePushMessage } from "../../ipc/parse-aside.ts";
import type { PushMessage, PushMessageOf, PushParentMessage, PushParentMessageOf } from "../../ipc/push-definitions.ts";
import type { ListenConfig, NerveConfig } from "../../model/config.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { LifeHost } from "../workers/crew.ts";
import { WorkerLife } from "../workers/life.ts";
import { ServingCrew } from "../workers/serving-crew.ts";

/** It holds the bodies of requests; one that leaks ends here. */
const MEMORY_BYTES = 512 * 1024 * 1024;

type Answer = PushParentMessageOf<"answers">["answers"][number];

const NOTHING = { retryAfterS: 0, key: "" };
const idsOf = (offered: Offered): number[] => (offered.kind === "accepted" ? [...offered.ids] : []);

export interface PushHost extends LifeHost {
  readonly data: string;
  command(): WorkerCommand;
  /** Makes the tokens of these senses that are not there yet. */
  makeTokens(senses: readonly string[]): void;
  /** Resolves after the commit, or with the reason why there is none. */
  offer(sense: string, given: Given): Promise<Offered>;
}

const inboxesOf = ({ senses }: NerveConfig) =>
  [...senses.values()].flatMap(({ name, inbox }) => (inbox === null ? [] : [{ name, secret: inbox.secret }]));

export class PushWorker extends ServingCrew<PushParentMessage, PushMessage> {
  readonly title = "the push listener";
  readonly about = { role: "push" } as const;
  readonly memoryBytes = MEMORY_BYTES;
  readonly parse = parsePushMessage;
  protected readonly section = "push";
  protected readonly hint = "nerve token SENSE";
  protected readonly life: WorkerLife<PushParentMessage, PushMessage, never>;
  readonly #host: PushHost;
  #config: NerveConfig | null = null;
  /** Of this turn. */
  #answers: Answer[] = [];

  constructor(host: PushHost) {
    super(host);
    this.#host = host;
    this.life = new WorkerLife(this, host);
  }

  /** The configuration that is in force from now on. */
  configure(config: NerveConfig): void {
    const before = this.listens;
    this.#config = config;
    const senses = inboxesOf(config);
    if (config.push !== null) this.#host.makeTokens(senses.map(({ name }) => name));
    if (this.life.pid !== null && before !== null && Bun.deepEquals(before, config.push)) {
      this.life.post({ type: "config", generation: this.life.generation, senses });
      return;
    }
    this.moved();
  }

  protected get listens(): ListenConfig | null {
    return this.#config?.push ?? null;
  }

  command(): WorkerCommand {
    return this.#host.command();
  }

  init(generation: number): PushParentMessage {
    const config = this.#config;
    const listens = this.listens;
    if (config === null || listens === null) throw new Error("the push process starts after its configuration");
    const { hostname, port, hosts } = listens;
    const { data } = this.#host;
    return { type: "init", generation, data, hostname, port, hosts: [...hosts], senses: inboxesOf(config) };
  }

  receive(message: PushMessage): void {
    switch (message.type) {
      case "ready":
        return this.isReady();
      case "listening":
        return this.said(message.reason);
      case "offers":
        return this.#take(message);
      case "error":
        return this.complained(message);
      case "bye":
        return;
    }
  }

  #take({ generation, offers }: PushMessageOf<"offers">): void {
    for (const { id, sense, bodies, key, identity, kind, trace } of offers) {
      void this.#host.offer(sense, { bodies, key, identity, type: kind, trace }).then((offered) => {
        if (generation === this.life.generation) this.#answer({ ...NOTHING, id, ...offered, ids: idsOf(offered) });
      });
    }
  }

  /** What is committed together is answered together. */
  #answer(answer: Answer): void {
    this.#answers.push(answer);
    if (this.#answers.length > 1) return;
    this.host.world.turns.next(() => {
      const answers = this.#answers;
      this.#answers = [];
      if (this.life.isOpen && answers.length > 0) {
        this.life.post({ type: "answers", generation: this.life.generation, answers });
      }
    });
  }

  protected forget(): void {
    this.#answers = [];
  }
}
