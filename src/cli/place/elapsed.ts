/** The kernel's axis of elapsed time, as the store holds it: for commands beside the kernel, or while the kernel does not run. */
import { systemClock } from "../../base/clock.ts";
import { Lifetime } from "../../kernel/time/lifetime.ts";
import type { StoreReader } from "../../store/open-reader.ts";

export const lifetimeOf = ({ meta }: StoreReader): Lifetime => new Lifetime(systemClock(), meta);
