/**
 * When Debian's cron(8) would run an expression, found the slow way: minute by minute, from the times the zone's wall
 * shows. Shares no code with nerve, neither the reading of an expression nor the arithmetic.
 */
const MINUTE_MS = 60_000;

interface Field {
  readonly isRestricted: boolean;
  readonly values: ReadonlySet<number>;
}

interface Expression {
  readonly minute: Field;
  readonly hour: Field;
  readonly day: Field;
  readonly month: Field;
  readonly weekday: Field;
  readonly isWildcard: boolean;
}

const NICKNAMES: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
};
const NAMES = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const DAYS = "sun mon tue wed thu fri sat".split(" ");

function fieldOf(text: string, least: number, most: number): Field {
  const number = (word: string): number => {
    const lower = word.toLowerCase();
    if (most === 12 && NAMES.includes(lower)) return NAMES.indexOf(lower) + 1;
    return most === 7 && DAYS.includes(lower) ? DAYS.indexOf(lower) : Number(word);
  };
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const [range = "", step = "1"] = part.split("/");
    const [first = "", last] = range === "*" ? [String(least), String(most)] : range.split("-");
    const to = last === undefined ? (part.includes("/") ? most : number(first)) : number(last);
    for (let value = number(first); value <= to; value += Number(step)) values.add(value);
  }
  if (most === 7 && values.has(7)) values.add(0);
  return { isRestricted: text !== "*", values };
}

function read(text: string): Expression {
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = (NICKNAMES[text] ?? text).split(/\s+/);
  return {
    minute: fieldOf(minute, 0, 59),
    hour: fieldOf(hour, 0, 23),
    day: fieldOf(day, 1, 31),
    month: fieldOf(month, 1, 12),
    weekday: fieldOf(weekday, 0, 7),
    isWildcard: minute.startsWith("*") || hour.startsWith("*"),
  };
}

/** `wall`: minutes since 1970 as the wall shows them. */
function matches({ minute, hour, day, month, weekday }: Expression, wall: number): boolean {
  const at = new Date(wall * MINUTE_MS);
  if (!minute.values.has(at.getUTCMinutes()) || !hour.values.has(at.getUTCHours())) return false;
  if (!month.values.has(at.getUTCMonth() + 1)) return false;
  const [isDay, isWeekday] = [day.values.has(at.getUTCDate()), weekday.values.has(at.getUTCDay())];
  return day.isRestricted && weekday.isRestricted ? isDay || isWeekday : isDay && isWeekday;
}

/** What the wall shows at each full minute from `from` on, in minutes since 1970. */
export function wallMinutes(tz: string, from: number, minutes: number): number[] {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: tz, dateStyle: "short", timeStyle: "short" });
  return Array.from({ length: minutes }, (_, minute) => {
    const text = format.format(from + minute * MINUTE_MS);
    return Date.parse(`${text.replace(" ", "T")}Z`) / MINUTE_MS;
  });
}

/** Instants at which it is due; `walls[0]` is before the first. */
export function dueByTheMinute(expression: string, from: number, walls: readonly number[]): number[] {
  const read_ = read(expression);
  const due: number[] = [];
  // Fixed times run when the wall first reaches or passes them; what it shows again is passed over.
  let furthest = walls[0] as number;
  for (let minute = 1; minute < walls.length; minute++) {
    const wall = walls[minute] as number;
    let isDue = read_.isWildcard && matches(read_, wall);
    for (; furthest < wall; furthest++) isDue ||= !read_.isWildcard && matches(read_, furthest + 1);
    if (isDue) due.push(from + minute * MINUTE_MS);
  }
  return due;
}
