/** Filter bar, choices, and what stands in the place of an answer that did not come. */
import type { ComponentChildren } from "preact";
import { type Asked, askAgain } from "../data/ask.ts";
import { param, setParams } from "../state/route.ts";
import { KeyChip } from "./basics.tsx";
import { Icon } from "./icon.tsx";

/** The input that `/` leads to. What is typed is the `q` of the URL. */
export const FilterInput = ({ hint }: { readonly hint: string }) => (
  <label class="inp">
    <Icon name="search" />
    <input
      id="filter"
      type="text"
      autocomplete="off"
      spellcheck={false}
      placeholder={hint}
      aria-label={hint}
      value={param("q")}
      onInput={({ currentTarget }) => setParams({ q: currentTarget.value }, "replace")}
    />
    <kbd>/</kbd>
  </label>
);

export interface Choice {
  readonly value: string;
  readonly label: string;
}

interface ChoicesProps {
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly chosen: (value: string) => boolean;
  readonly choose: (value: string) => void;
}

export const Choices = ({ label, choices, chosen, choose }: ChoicesProps) => (
  <fieldset class="seg" aria-label={label}>
    {choices.map(({ value, label: text }) => (
      <button key={value} type="button" aria-pressed={chosen(value)} onClick={() => choose(value)}>
        {text}
      </button>
    ))}
  </fieldset>
);

/** What is chosen of a list: the `show` of the URL. */
export const ShowChoices = ({ label, choices }: { readonly label: string; readonly choices: readonly Choice[] }) => (
  <Choices
    label={label}
    choices={choices}
    chosen={(value) => param("show") === value}
    choose={(value) => setParams({ show: value }, "push")}
  />
);

interface AnsweredProps<T> {
  readonly path: string;
  readonly asked: Asked<T>;
  readonly children: (value: T) => ComponentChildren;
}

/** The answer; a first frame of its size until it is there; and an error, beside the old answer where there is one. */
export function Answered<T>({ path, asked, children }: AnsweredProps<T>) {
  const { value, error } = asked;
  return (
    <>
      {error === null ? null : <Trouble path={path} message={error.message} hint={error.hint} />}
      {value === null ? (
        error === null ? (
          <div class={asked.loading ? "empty waiting" : "empty"} />
        ) : null
      ) : (
        children(value)
      )}
    </>
  );
}

interface TroubleProps {
  readonly path: string;
  readonly message: string;
  readonly hint: string | null;
}

export const Trouble = ({ path, message, hint }: TroubleProps) => (
  <div class="trouble" role="alert">
    <Icon name="warn" />
    <span>
      {message}
      {hint === null ? "" : `: ${hint}`}
    </span>
    <button type="button" class="lnk" onClick={() => askAgain(path)}>
      try again
    </button>
  </div>
);

/** Said where the view shows only what belongs to one sense, reflex or workflow. */
export function AboutPill() {
  const about = param("about");
  if (about === "") return null;
  return (
    <button type="button" class="pill acc" onClick={() => setParams({ about: null }, "push")}>
      only {about.replace(":", " ")}
      <Icon name="close" />
    </button>
  );
}

/** A filter that nothing passes, and the way out. */
export const NoMatch = ({ what }: { readonly what: string }) => (
  <div class="empty">
    <span class="b">
      No {what} matches <KeyChip value={param("q") || param("show")} />
    </span>
    <button
      type="button"
      class="lnk"
      onClick={() => setParams({ q: null, show: null, about: null, level: null }, "push")}
    >
      Clear the filter
    </button>
  </div>
);
