/** The small parts that every view is made of: marks, chips, commands, empty states, times. */
import type { ComponentChildren } from "preact";
import type { Json } from "../../base/json.ts";
import { copy } from "../state/toast.ts";
import { cut, keyText } from "../words/payload.ts";
import type { Mark } from "../words/states.ts";
import { ago, shortMoment, whole } from "../words/times.ts";
import { Icon, type IconName, type Tone } from "./icon.tsx";

export const StatusMark = ({ mark }: { readonly mark: Mark }) => (
  <span class={`st ${mark.tone}`}>
    <Icon name={mark.icon} />
    {mark.word}
  </span>
);

const KEY_LENGTH = 24;

/** The value of a key: a payload's text, never markup. */
export function KeyChip({ value }: { readonly value: Json }) {
  if (value === null) return <span class="s">no key</span>;
  const text = keyText(value);
  return (
    <span class="chip" title={text}>
      <bdi>{cut(text, KEY_LENGTH)}</bdi>
    </span>
  );
}

/** An act is a command to copy: no button of the page acts. */
export const Command = ({ text }: { readonly text: string }) => (
  <button type="button" class="cmd" data-command={text} title={`Copy: ${text}`} onClick={() => void copy(text)}>
    <span>{text}</span>
    <Icon name="copy" />
  </button>
);

interface EmptyProps {
  readonly icon: IconName;
  readonly title: string;
  readonly more: string | null;
  readonly command: string | null;
}

export const Empty = ({ icon, title, more, command }: EmptyProps) => (
  <div class="empty">
    <Icon name={icon} />
    <span class="b">{title}</span>
    {more === null ? null : <span class="s">{more}</span>}
    {command === null ? null : <Command text={command} />}
  </div>
);

export const Pill = ({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) => (
  <span class={`pill ${tone}`}>{children}</span>
);

/** A clock time, with the date in the title. */
export const At = ({ at }: { readonly at: number }) => (
  <time class="nw" title={whole(at)}>
    {shortMoment(at)}
  </time>
);

/** An age, with the clock time in the title. */
export const Ago = ({ at }: { readonly at: number | null }) =>
  at === null ? (
    <span>never</span>
  ) : (
    <time class="nw" title={whole(at)}>
      {ago(at)}
    </time>
  );

/** Text of others: a direction mark in it turns nothing beside it around. */
export const Foreign = ({ text }: { readonly text: string }) => <bdi>{text}</bdi>;

interface PanelProps {
  readonly title: ComponentChildren;
  readonly aside: ComponentChildren;
  readonly children: ComponentChildren;
}

export const Panel = ({ title, aside, children }: PanelProps) => (
  <section class="panel">
    <div class="ph">
      {typeof title === "string" ? <h2>{title}</h2> : title}
      {aside === null ? null : <span class="s">{aside}</span>}
    </div>
    {children}
  </section>
);

/** Terms and what they are; a null row is left out. */
export const Facts = ({ rows }: { readonly rows: readonly (readonly [string, ComponentChildren] | null)[] }) => (
  <dl class="dl">
    {rows.map((row) =>
      row === null ? null : (
        <>
          <dt>{row[0]}</dt>
          <dd>{row[1]}</dd>
        </>
      ),
    )}
  </dl>
);

/** Words between back quotes are a payload's fields. */
export const Sentence = ({ text }: { readonly text: string }) => (
  <>
    {text.split("`").map((part, index) =>
      index % 2 === 1 ? (
        <code key={index}>
          <Foreign text={part} />
        </code>
      ) : (
        <Foreign key={index} text={part} />
      ),
    )}
  </>
);
