// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax this file is about
/**
 * Owns `${VAR}`, `${VAR:-default}`, `${VAR:?message}`, `${credential:NAME}` and the literal `$${` in the text of one
 * scalar. A fault names the variable and never quotes the value of any variable.
 */
import type { Secret } from "../base/secrets.ts";
import { valueOfWord } from "./yaml-word.ts";

export interface Variables {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of the credential, or null when no credential has this name. */
  readonly credential: (name: string) => string | null;
  /** Gives the text in place of a missing variable, from the text in the file. With null a missing variable is a fault. */
  readonly standIn: ((written: string) => string) | null;
}

export interface Fault {
  readonly kind: "missing-variable" | "missing-credential" | "bad-variable";
  readonly message: string;
  readonly hint: string | null;
}

export interface Filled {
  readonly text: string;
  /** True when something from outside the file is in `text`. */
  readonly filled: boolean;
  /** The values that were filled in, each with the text that a message shows instead. */
  readonly secrets: readonly Secret[];
  /** True when the text was exactly one `${…}`: the value then takes the YAML type of its text. */
  readonly whole: boolean;
  readonly faults: readonly Fault[];
}

const TOKEN = /\$\$\{|\$\{([^}]*)\}|\$\{/g;
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)([\s\S]*))?$/;
const CREDENTIAL = /^credential:(.*)$/s;
/** The names that systemd accepts for a credential, without those that are paths. */
const CREDENTIAL_NAME = /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,255}$/;

/** `secret` is null where the text comes from the configuration itself. */
type Lookup =
  | { readonly ok: true; readonly text: string; readonly secret: Secret | null }
  | { readonly ok: false; readonly fault: Fault };

const FORMS = "write ${VAR}, ${VAR:-default}, ${VAR:?message} or ${credential:NAME}, and $${ for a literal ${";

const fail = (kind: Fault["kind"], message: string, hint: string | null): Lookup => ({
  ok: false,
  fault: { kind, message, hint },
});

const short = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text).replace(/\s+/g, " ");

function lookUpCredential(name: string, variables: Variables): Lookup {
  if (!CREDENTIAL_NAME.test(name)) {
    return fail("bad-variable", `\${credential:${short(name)}} does not name a credential`, FORMS);
  }
  const text = variables.credential(name);
  const written = `\${credential:${name}}`;
  if (text !== null) return { ok: true, text, secret: { written, value: text } };
  if (variables.standIn !== null) return { ok: true, text: variables.standIn(written), secret: null };
  const hint = `pass it with LoadCredential=${name}:/path in the systemd unit`;
  return fail("missing-credential", `there is no credential ${name}`, hint);
}

function lookUp(inside: string, variables: Variables): Lookup {
  const credential = CREDENTIAL.exec(inside);
  if (credential) return lookUpCredential(credential[1] as string, variables);
  const match = VARIABLE.exec(inside);
  if (!match || inside.includes("${")) {
    return fail("bad-variable", `\${${short(inside)}} is not a variable`, FORMS);
  }
  const [, name, operator, rest] = match as unknown as [string, string, string | undefined, string | undefined];
  const value = Object.hasOwn(variables.environment, name) ? variables.environment[name] : undefined;
  const given = (text: string): Lookup => ({ ok: true, text, secret: { written: `\${${name}}`, value: text } });
  if (operator === undefined) {
    if (value !== undefined) return given(value);
    if (variables.standIn !== null) return { ok: true, text: variables.standIn(`\${${name}}`), secret: null };
    const hint = `set it, or give a default: \${${name}:-default}`;
    return fail("missing-variable", `the environment variable ${name} is not set`, hint);
  }
  if (value !== undefined && value !== "") return given(value);
  if (operator === ":-") return { ok: true, text: rest ?? "", secret: null };
  if (variables.standIn !== null) return { ok: true, text: variables.standIn(`\${${name}}`), secret: null };
  const hint = rest === undefined || rest === "" ? null : short(rest);
  return fail("missing-variable", `the environment variable ${name} is not set`, hint);
}

/** Fills in `text` once: a `${…}` in the value of a variable stays as it is. */
export function fillVariables(text: string, variables: Variables): Filled {
  const faults: Fault[] = [];
  const secrets: Secret[] = [];
  let filled = false;
  let whole = false;
  const result = text.replace(TOKEN, (token: string, inside: string | undefined) => {
    if (token === "$${") return "${";
    filled = true;
    if (inside === undefined) {
      faults.push({ kind: "bad-variable", message: "a ${ is never closed by }", hint: FORMS });
      return "";
    }
    whole = token.length === text.length;
    const outcome = lookUp(inside, variables);
    if (outcome.ok) {
      if (outcome.secret !== null) secrets.push(outcome.secret);
      return outcome.text;
    }
    faults.push(outcome.fault);
    return "";
  });
  return { text: result, filled, whole, secrets, faults };
}

/** The value of a plain scalar with this text under the YAML 1.2 core schema. */
export function plainValue(text: string): string | number | boolean | null {
  const value = valueOfWord(text.trim());
  if (typeof value === "string") return text;
  // A long row of digits is an identifier, and no number holds it exactly.
  const isInexact = typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isInexact || (typeof value === "number" && !Number.isFinite(value)) ? text : value;
}
