/** The lists of one payload: each is cut after so many entries, and what is left out is counted. */

/** A payload may have 64 KiB. */
const FITS_BYTES = 60 * 1024;
const MOST = [100, 50, 25, 10, 5];

export class Lists {
  readonly most: number;
  readonly #more: Record<string, number> = {};

  private constructor(most: number) {
    this.most = most;
  }

  /** What `make` makes with as many entries a list as fit into a payload. */
  static fitting<T>(make: (lists: Lists) => T): T {
    for (const most of MOST) {
      const made = make(new Lists(most));
      if (Buffer.byteLength(JSON.stringify(made)) <= FITS_BYTES) return made;
    }
    return make(new Lists(1));
  }

  get more(): Readonly<Record<string, number>> {
    return this.#more;
  }

  cut<T>(name: string, all: readonly T[]): readonly T[] {
    return this.counted(name, all.slice(0, this.most), all.length);
  }

  /** `some` of `count` entries. */
  counted<T>(name: string, some: readonly T[], count: number): readonly T[] {
    if (count > some.length) this.#more[name] = count - some.length;
    return some;
  }
}
