/** The kernel's axis of elapsed time, as far as the store tells: for commands beside it, or while it does not run. */
import { systemClock } from "../../base/clock.ts";
import { Lifetime } from "../../kernel/time/lifetime.ts";
import type { StoreReader } from "../../store/open-reader.ts";

export const lifetimeOf = ({ meta }: StoreReader): Lifetime => new Lifetime(systemClock(), meta);
