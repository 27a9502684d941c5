/** A list of rows by pages: newest first, older ones by a link at its foot. */
import type { ComponentChildren } from "preact";
import type { Listing } from "../../web/contract.ts";
import { param, setParams } from "../state/route.ts";

/** Newest first, whatever the order of the answer. */
export const newestFirst = <Row extends { readonly id: number }>(rows: readonly Row[]): readonly Row[] =>
  [...rows].sort((a, b) => b.id - a.id);

/** The `before` of the URL, as the parameter of a list. */
export const beforeParam = (): string | null => (param("before") === "" ? null : param("before"));

const idOf = (next: string): string => next.replace(/^before=/, "");

/** Under a list: the way to what is older, and back to the newest. */
export function Older({
  listing,
  noun,
}: {
  readonly listing: Listing<{ readonly id: number }>;
  readonly noun: string;
}) {
  const { next, short } = listing;
  const back: ComponentChildren =
    param("before") === "" ? null : (
      <button type="button" class="lnk" onClick={() => setParams({ before: null }, "push")}>
        newest {noun}s
      </button>
    );
  if (next === null && back === null && !short) return null;
  return (
    <div class="older">
      {back}
      {short ? (
        <span class="s">
          looked back to {noun} {listing.looked_to}, which took 2 s
        </span>
      ) : null}
      {next === null ? null : (
        <button type="button" class="lnk" onClick={() => setParams({ before: idOf(next) }, "push")}>
          older {noun}s
        </button>
      )}
    </div>
  );
}
