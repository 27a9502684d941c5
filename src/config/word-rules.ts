/** Owns the rules on which words of a reflex go together. Each rule is one line of the contract. */
import { hasWildcard, partsOfName } from "../model/full-name.ts";
import { BY_HOST, BY_SENSE, isByHost, isBySense, ONE_STATE } from "../rules/key.ts";
import type { ReflexFields, ReflexKey } from "./reflex-fields.ts";
import type { Report } from "./report.ts";

/** With `incident` these words are refused. The hint names the word of the incident that does the same. */
const REFUSED_BESIDE_INCIDENT = {
  edge: "an incident opens when matching begins, and resolves when it ends: remove `edge`",
  count: "let the sense count, and write `when: { failures: number >= 3 }`",
  debounce: "write `for` to wait before the opening, `incident.resolve_after` to wait before the resolution",
  throttle: "an incident is reported once: write `incident.resolve_after` for one that comes and goes",
} as const;

/** For these keys 0 means the same as no key. */
const NONE_BY_ZERO: ReadonlySet<ReflexKey> = new Set(["for", "throttle", "jitter"]);
const WORDS = ["when", "clear", "edge", "for", "count", "debounce", "throttle", "key", "each", "incident"] as const;
/** With several senses and one state for all, each of these words would mix up the senses, unless `key` asks for one state. */
const TELLING_APART = ["edge", "for", "clear", "count", "incident"] as const;

export function checkWords(fields: ReflexFields, label: string, report: Report): void {
  const rules = new WordRules(fields, label, report);
  rules.checkClock();
  rules.checkPairs();
  rules.checkKey();
  rules.checkEach();
  rules.checkIncident();
  rules.checkDeliver();
}

class WordRules {
  readonly #fields: ReflexFields;
  readonly #label: string;
  readonly #report: Report;

  constructor(fields: ReflexFields, label: string, report: Report) {
    this.#fields = fields;
    this.#label = label;
    this.#report = report;
  }

  #has(key: ReflexKey): boolean {
    // `for: 0` counts as absent.
    return this.#fields.placeOf(key) !== null && !(NONE_BY_ZERO.has(key) && this.#fields.values[key] === null);
  }

  /** Reports that `key` conflicts with something. A key that could not be read has been reported before. */
  #conflict(key: ReflexKey, message: string, hint: string): void {
    const place = this.#fields.placeOf(key);
    if (place && this.#has(key)) this.#report.add("conflict", place, `\`${this.#label}.${key}\` ${message}`, hint);
  }

  #needs(key: ReflexKey, needed: readonly ReflexKey[]): void {
    if (this.#fields.placeOf(key) === null || this.#fields.firstOf(needed)) return;
    const either = needed.map((one) => `\`${one}\``).join(" or ");
    this.#conflict(key, `has no meaning without ${either}`, `add ${either}, or remove \`${key}\``);
  }

  /** A sense is handed every signal that `when` lets through: nothing else decides which. */
  checkDeliver(): void {
    const place = this.#fields.placeOf("deliver");
    if (place === null || this.#fields.values.deliver !== true) return;
    if (this.#fields.placeOf("sense") === null) {
      return this.#conflict(
        "deliver",
        "is not allowed in a workflow reflex",
        "a run has its signal in `thread.trigger`",
      );
    }
    if (this.#fields.placeOf("on") === null) {
      return this.#conflict(
        "deliver",
        "has no meaning without `on`",
        "add `on`: the senses whose signals are handed over",
      );
    }
    for (const word of WORDS) {
      if (word === "when") continue;
      this.#conflict(
        word,
        "does not go with `deliver`",
        `every signal is handed over: remove \`${word}\`, or let the sense decide`,
      );
    }
  }

  checkClock(): void {
    this.#needs("align", ["interval"]);
    this.#needs("jitter", ["interval"]);
    this.#needs("tz", ["cron"]);
    this.#needs("catch_up", ["interval", "cron"]);
  }

  checkPairs(): void {
    const { values } = this.#fields;
    if (this.#fields.placeOf("on") === null) for (const word of WORDS) this.#needs(word, ["on"]);
    else for (const word of ["clear", "edge", "for", "incident"] as const) this.#needs(word, ["when"]);
    if (values.for === null) return;
    if (values.edge === "level") {
      this.#conflict("for", "has no meaning with `edge: level`", "write `edge: rising` or remove `edge`");
    }
    this.#conflict("count", "cannot be used with `for`", "keep one of them");
  }

  /** The different senses in `on`. A sense that is listed twice has been reported. */
  get #senses(): readonly string[] {
    return [...new Set(this.#fields.values.on?.map(({ name }) => name))];
  }

  /** True where signals of several senses come in. A pattern stands for several. */
  get #isSeveral(): boolean {
    return this.#senses.length > 1 || this.#senses.some(hasWildcard);
  }

  /** True where `on` is one sense of several hosts, so that the host tells the senses apart. */
  get #isOnePerHost(): boolean {
    const names = new Set(this.#senses.map((name) => partsOfName(name).sense));
    return this.#isSeveral && names.size === 1 && ![...names].some(hasWildcard);
  }

  checkKey(): void {
    if (!this.#isSeveral || this.#fields.placeOf("key") !== null) return;
    const first = TELLING_APART.find((word) => this.#has(word));
    if (first === undefined) return;
    const many = this.#isOnePerHost
      ? "several hosts"
      : this.#senses.some(hasWildcard)
        ? "several senses"
        : `${this.#senses.length} senses`;
    const message = `mixes up the signals of ${many}: they share one state without a \`key\``;
    const each = this.#isOnePerHost
      ? `\`key: ${BY_HOST}\` (one state a host)`
      : `\`key: ${BY_SENSE}\` (one state a sense)`;
    this.#conflict(first, message, `add ${each}, a payload path, or \`key: ${ONE_STATE}\` (one state for all)`);
  }

  checkIncident(): void {
    if (!this.#has("incident")) return;
    if (this.#fields.placeOf("sense") !== null && this.#fields.placeOf("workflow") === null) {
      return this.#conflict(
        "incident",
        "has no meaning in a reflex that runs a sense",
        "start a workflow, which reports it",
      );
    }
    for (const [word, hint] of Object.entries(REFUSED_BESIDE_INCIDENT)) {
      this.#conflict(word as ReflexKey, "cannot be used with `incident`", hint);
    }
  }

  checkEach(): void {
    const { each, key } = this.#fields.values;
    if (each === null) return;
    if (this.#fields.placeOf("key") === null) {
      const hint = "add `key: PATH`, a path in each element such as name";
      return this.#conflict("each", "has no meaning without `key`, which tells the elements apart", hint);
    }
    if (key === null) return;
    const paths = typeof key === "string" ? [key] : key;
    const isSeveral = this.#isSeveral;
    const apart = this.#isOnePerHost ? BY_HOST : BY_SENSE;
    if (paths.every((path) => path === BY_SENSE || path === BY_HOST || path === ONE_STATE)) {
      const example = isSeveral ? `key: [${apart}, name]` : "key: name";
      this.#conflict("key", "tells no elements apart", `write a path in each element, such as \`${example}\``);
    } else if (isSeveral && !isBySense(key) && !(this.#isOnePerHost && isByHost(key))) {
      const of = this.#isOnePerHost ? "several hosts" : "several senses";
      const message = `must hold \`${apart}\`, for \`on\` names ${of}: elements of one would be gone at a signal of another`;
      this.#conflict("key", message, `write \`key: [${apart}, ${paths.join(", ")}]\``);
    }
  }
}
