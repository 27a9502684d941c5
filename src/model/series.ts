/** What the module of a sense exports as `series`, once it is known to be true of the sense's database. */
export interface SeriesTable {
  readonly table: string;
  /** The column of the time, in Unix milliseconds. */
  readonly at: string;
  /** Columns that tell the rows of one time apart: there is a line for each of their values. Empty: there is one line. */
  readonly by: readonly string[];
  /** Columns with numbers. */
  readonly numbers: readonly SeriesNumber[];
}

export interface SeriesNumber {
  readonly name: string;
  /** `percent`, `bytes`, `bytes_per_second`, … or null. */
  readonly unit: string | null;
}

/** The columns beside that of the time. */
export const columnsOf = ({ by, numbers }: SeriesTable): readonly string[] => [
  ...by,
  ...numbers.map(({ name }) => name),
];

/** What stands between the values of several columns in the name of a line. */
export const BETWEEN = " / ";
