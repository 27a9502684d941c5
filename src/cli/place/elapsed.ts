/** Owns the kernel's axis of elapsed time as the store holds it, for commands that run beside the kernel or without the kernel. */
import { systemClock } from "../../base/clock.ts";
import { Lifetime } from "../../kernel/time/lifetime.ts";
import type { StoreReader } from "../../store/open-reader.ts";

export const lifetimeOf = ({ meta }: StoreReader): Lifetime => new Lifetime(systemClock(), meta);
