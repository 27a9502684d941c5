/** Owns the numbers of a chart while they are read: the lowest and the highest of each line at each pixel. */

/** So many pixels in all lines of one answer. */
const MOST_PIXELS = 40_000;

export interface Line {
  /** Place of the field among those that were asked for. */
  readonly field: number;
  /** The value of the columns by which lines are told apart; null where there are none. */
  readonly of: string | null;
  /** The pixels that have a value, rising. */
  readonly pixels: readonly number[];
  readonly min: readonly number[];
  readonly max: readonly number[];
}

interface Bounds {
  readonly min: Float64Array;
  readonly max: Float64Array;
}

export class Pixels {
  readonly #width: number;
  readonly #fields: number;
  readonly #most: number;
  readonly #lines = new Map<string | null, readonly Bounds[]>();
  #isCut = false;

  constructor(width: number, fields: number) {
    this.#width = width;
    this.#fields = fields;
    this.#most = Math.max(1, Math.floor(MOST_PIXELS / (width * fields)));
  }

  /** Whether there were more lines than one answer has room for. */
  get isCut(): boolean {
    return this.#isCut;
  }

  add(of: string | null, field: number, pixel: number, min: number, max: number): void {
    const bounds = this.#boundsOf(of)?.[field];
    if (bounds === undefined) return;
    // What is not yet known is NaN, which nothing is above or below.
    if (!(min >= (bounds.min[pixel] as number))) bounds.min[pixel] = min;
    if (!(max <= (bounds.max[pixel] as number))) bounds.max[pixel] = max;
  }

  #boundsOf(of: string | null): readonly Bounds[] | null {
    const known = this.#lines.get(of);
    if (known !== undefined) return known;
    if (this.#lines.size >= this.#most) {
      this.#isCut = true;
      return null;
    }
    const made = Array.from({ length: this.#fields }, () => ({
      min: new Float64Array(this.#width).fill(Number.NaN),
      max: new Float64Array(this.#width).fill(Number.NaN),
    }));
    this.#lines.set(of, made);
    return made;
  }

  /** Forgets a pixel of which not all was read. */
  forget(pixel: number): void {
    for (const bounds of [...this.#lines.values()].flat()) {
      bounds.min[pixel] = Number.NaN;
      bounds.max[pixel] = Number.NaN;
    }
  }

  lines(): Line[] {
    const names = [...this.#lines.keys()].sort((a, b) => ((a ?? "") < (b ?? "") ? -1 : 1));
    return names.flatMap((of) => (this.#lines.get(of) ?? []).map((bounds, field) => lineOf(field, of, bounds)));
  }
}

function lineOf(field: number, of: string | null, { min, max }: Bounds): Line {
  const pixels = [...min.keys()].filter((pixel) => !Number.isNaN(min[pixel]));
  const valuesOf = (all: Float64Array): number[] => pixels.map((pixel) => all[pixel] as number);
  return { field, of, pixels, min: valuesOf(min), max: valuesOf(max) };
}
