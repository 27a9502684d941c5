/** What a person has a running nerve do. The control socket alone offers these: only nerve's user reaches it. */
import type { Json } from "../base/json.ts";
import type { Result } from "../base/result.ts";
import type { Given } from "../inbox/given.ts";
import type { Offered } from "../inbox/offered.ts";
import type { Problem } from "../model/problem.ts";
import type {
  Archived,
  ForgottenHost,
  HostsAnswer,
  IncidentAnswer,
  IncidentRequest,
  ItemsAnswer,
  Reloaded,
  RunAnswer,
  SilenceAnswer,
  SilenceRequest,
  SwitchAnswer,
} from "./contract.ts";

export interface Acts {
  /** Hands something to the inbox of a sense: resolves once that is committed, or is not taken. */
  offer(sense: string, given: Given): Promise<Offered>;
  retryItems(ids: readonly number[]): Promise<Result<ItemsAnswer, Problem>>;
  dropItems(ids: readonly number[]): Promise<Result<ItemsAnswer, Problem>>;
  trigger(name: string): Promise<Result<{ sense: string; trace: string }, Problem>>;
  enable(name: string): Promise<Result<SwitchAnswer, Problem>>;
  disable(name: string): Promise<Result<SwitchAnswer, Problem>>;
  release(name: string): Result<{ sense: string; released: boolean }, Problem>;
  reload(): Promise<Result<Reloaded, readonly Problem[]>>;
  run(workflow: string, input: Json): Promise<Result<RunAnswer, Problem>>;
  cancel(run: number): Promise<Result<RunAnswer, Problem>>;
  retry(run: number, fromStep: string | null): Promise<Result<RunAnswer, Problem>>;
  silence(request: SilenceRequest): Promise<Result<SilenceAnswer, Problem>>;
  ack(request: IncidentRequest): Promise<Result<IncidentAnswer, Problem>>;
  resolve(request: IncidentRequest): Promise<Result<IncidentAnswer, Problem>>;
  unsilence(pattern: string): Promise<Result<SilenceAnswer, Problem>>;
  /** Asks other hosts for their status, over the fleet. Changes nothing, and waits for others: so it is no look. */
  askHosts(hosts: readonly string[]): Promise<Result<HostsAnswer, Problem>>;
  /** A host of the fleet that is gone for good. */
  forgetHost(host: string): Promise<Result<ForgottenHost, Problem>>;
  archive(): Promise<Result<Archived, Problem>>;
}
