/** What a row of a sense opens to: its last error, how it computes, who listens, and what to type. */
import type { SenseRow } from "../../../web/contract.ts";
import { Ago, Command, Facts, Foreign } from "../../parts/basics.tsx";
import { linkTo } from "../../state/route.ts";
import { count, took } from "../../words/numbers.ts";
import { Json } from "../story/detail.tsx";

export function SenseDetail({ sense }: { readonly sense: SenseRow }) {
  const { reason, place, group, p50_ms: p50, p99_ms: p99, next_due: next, heard_by: heard, name, inbox } = sense;
  const p = (ms: number | null): string => (ms === null ? "–" : took(ms));
  return (
    <Facts
      rows={[
        reason === null
          ? null
          : [
              sense.state === "ok" ? "Said" : "Last error",
              <code class="wrap">
                <Foreign text={reason} />
                {place === null ? "" : ` (${place})`}
              </code>,
            ],
        ["Group", `${group}, p50 ${p(p50)}, p99 ${p(p99)}`],
        [
          "Computes",
          `${count(sense.computes)}, ${count(sense.nulls)} without a signal, ${count(sense.errors)} failed, ${count(sense.timeouts)} timed out, ${count(sense.missed)} missed`,
        ],
        ["Next", next === null ? "no clock makes it due" : <Ago at={next} />],
        [
          "Heard by",
          heard.length === 0
            ? "no reflex"
            : heard.map((reflex) => (
                <a key={reflex} class="chip" href={linkTo("reflexes", { sel: reflex })}>
                  {reflex}
                </a>
              )),
        ],
        inbox === null
          ? null
          : [
              "Inbox",
              <>
                <span class={inbox.full || inbox.dead > 0 ? "warn b" : ""}>
                  {inbox.full ? "full, " : ""}
                  {count(inbox.waiting)} waiting, {count(inbox.dead)} dead
                </span>
                {inbox.newest_at === null ? null : (
                  <>
                    , the newest <Ago at={inbox.newest_at} />
                  </>
                )}
              </>,
            ],
        sense.last === null
          ? null
          : [
              "Last signal",
              <>
                <a class="lnk" href={linkTo("story", { sel: `signal:${sense.last.id}` })}>
                  #{sense.last.id}
                </a>
                <Json value={sense.last.payload} />
              </>,
            ],
        [
          "Try it",
          <span class="cmds">
            <Command
              text={
                sense.state === "quarantined" || sense.state === "disabled"
                  ? `nerve enable ${name}`
                  : `nerve once ${name}`
              }
            />
            <Command text={`nerve ${inbox === null ? "signals -f" : "inbox"} ${name}`} />
          </span>,
        ],
      ]}
    />
  );
}
