/** Bars of a run's time, on any axis that says where a time lies. */
import type { Piece, PieceKind } from "../story/run-timeline.ts";
import { took } from "../words/numbers.ts";

const CLASSES: Readonly<Record<PieceKind, string>> = {
  queued: "wb q",
  running: "wb",
  retry: "wb y",
  sleeping: "wb z",
  completed: "wb o",
  failed: "wb f",
  pending: "wb p",
};

export const PIECE_WORDS: Readonly<Record<PieceKind, string>> = {
  queued: "queued",
  running: "running",
  retry: "waiting for retry",
  sleeping: "sleeping",
  completed: "completed",
  failed: "failed",
  pending: "pending (for)",
};

interface BarsProps {
  readonly pieces: readonly Piece[];
  /** Percent of the width at a time. */
  readonly x: (at: number) => number;
}

export const Bars = ({ pieces, x }: BarsProps) => (
  <>
    {pieces.map(({ kind, from, to }) => (
      <i
        key={`${kind} ${from}`}
        class={CLASSES[kind]}
        title={`${PIECE_WORDS[kind]} ${took(to - from)}`}
        style={{ left: `${x(from).toFixed(2)}%`, width: `${Math.max(x(to) - x(from), 0).toFixed(2)}%` }}
      />
    ))}
  </>
);

/** The bar of a whole run, scaled to `mostMs`. */
export function RunBar({ pieces, mostMs }: { readonly pieces: readonly Piece[]; readonly mostMs: number }) {
  const from = pieces[0]?.from ?? 0;
  return (
    <div class="wt mini">
      <Bars pieces={pieces} x={(at) => ((at - from) / Math.max(mostMs, 1)) * 100} />
    </div>
  );
}

export const Swatch = ({ kind }: { readonly kind: PieceKind }) => <i class={`sw ${CLASSES[kind]}`} />;

export const BarLegend = ({ kinds }: { readonly kinds: readonly PieceKind[] }) => (
  <div class="legend">
    {kinds.map((kind) => (
      <span key={kind}>
        <Swatch kind={kind} />
        {PIECE_WORDS[kind]}
      </span>
    ))}
  </div>
);
