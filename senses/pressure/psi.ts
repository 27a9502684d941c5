/** One file of /proc/pressure (null where the kernel has none), such as `some avg10=1.42 avg60=0.83 avg300=0.30 total=5784093` and a line for `full`. */

type Key<Resource extends string> = `${Resource}_${"some" | "full"}_${"avg10" | "avg60" | "avg300"}_percent`;

/** Percent of the last 10, 60 and 300 seconds in which some, or all, tasks waited. Null where the kernel reports none. */
export type Pressure<Resource extends string> = Readonly<Record<Key<Resource>, number | null>>;

export function parsePressure<Resource extends string>(resource: Resource, text: string | null): Pressure<Resource> {
  const found: Record<string, number | null> = {};
  for (const kind of ["some", "full"]) {
    const line = (text ?? "").split("\n").find((candidate) => candidate.startsWith(kind)) ?? "";
    for (const span of ["avg10", "avg60", "avg300"]) {
      const value = new RegExp(` ${span}=(\\d+(?:\\.\\d+)?)(?: |$)`).exec(line)?.[1];
      found[`${resource}_${kind}_${span}_percent`] = value === undefined ? null : Number(value);
    }
  }
  return found as Pressure<Resource>;
}
