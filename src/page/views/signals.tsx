/** *Signals*: what senses saw, newest first; a row opens to its payload. */
import { fullNameOf } from "../../model/full-name.ts";
import type { ShownSignal, SignalsAnswer } from "../../web/contract.ts";
import { apiPath } from "../data/api.ts";
import { type Freshness, useAnswer } from "../data/ask.ts";
import { useSenses } from "../data/summary.ts";
import { At, Command, Empty, Facts, Foreign } from "../parts/basics.tsx";
import { AboutPill, Answered, FilterInput, NoMatch } from "../parts/controls.tsx";
import { beforeParam, newestFirst, Older } from "../parts/listing.tsx";
import { range } from "../state/range.ts";
import { linkTo, param, setParams } from "../state/route.ts";
import { asked as askedFor, parseFilter, passes } from "../words/filter.ts";
import { summary } from "../words/payload.ts";
import { Json } from "./story/detail.tsx";

const FOLLOWED: Freshness = { everyMs: null, after: ["signal"] };
const LIMIT = 100;

function SignalRow({ signal }: { readonly signal: ShownSignal }) {
  const open = param("sel") === String(signal.id);
  const text = summary(signal.payload);
  return (
    <>
      <tr class={open ? "open" : ""}>
        <td class="r d">{signal.id}</td>
        <td class="s">
          <At at={signal.at} />
        </td>
        <td class="w2">
          <button
            type="button"
            class="rowb tr"
            data-row
            aria-expanded={open}
            onClick={() => setParams({ sel: open ? null : String(signal.id) }, "push")}
          >
            {fullNameOf(signal)}
          </button>
        </td>
        <td class="tr d w2" title={text}>
          <Foreign text={text} />
        </td>
        <td class="c-sm r">
          <a class="lnk" href={linkTo("story", { sel: `signal:${signal.id}` })}>
            story
          </a>
        </td>
      </tr>
      {open ? (
        <tr class="x">
          <td colSpan={5}>
            <Facts
              rows={[
                ["Payload", <Json value={signal.payload} />],
                [
                  "Cause",
                  signal.cause === null ? (
                    "a tick, a start or a person"
                  ) : (
                    <a class="lnk" href={linkTo("story", { sel: `signal:${signal.cause}` })}>
                      signal {signal.cause}
                    </a>
                  ),
                ],
                [
                  "Trace",
                  <a class="lnk mono" href={linkTo("story", { sel: signal.trace })}>
                    {signal.trace}
                  </a>,
                ],
                ["See it", <Command text={`nerve show signal:${signal.id}`} />],
              ]}
            />
          </td>
        </tr>
      ) : null}
    </>
  );
}

/** The senses that the filter, or what the page is about, asks for; null: all. */
function wantedSenses(all: readonly string[]): readonly string[] | null {
  const given = askedFor(parseFilter(param("q")), "sense");
  const [kind, name = ""] = param("about").split(":", 2);
  if (given.length > 0) {
    const remote = given.filter((part) => part.includes("/")).map((part) => `*${part}*`);
    return [...all.filter((sense) => given.some((part) => sense.includes(part))), ...remote];
  }
  return kind === "sense" ? [name] : null;
}

export function Signals() {
  const names = (useSenses().value?.senses ?? []).map(({ name }) => name);
  const { live, from, to } = range.value;
  const time = live ? { since: null, until: null } : { since: Math.round(from), until: Math.round(to) };
  const before = beforeParam();
  const path = apiPath("signals", { sense: wantedSenses(names), limit: LIMIT, before, ...time });
  const asked = useAnswer<SignalsAnswer>(path, FOLLOWED);
  const filter = parseFilter(param("q"));
  return (
    <>
      <div class="head">
        <FilterInput hint="Filter signals, as in sense:memory" />
        <AboutPill />
        <span class="s sp h-sm">newest first</span>
      </div>
      <section class="panel" aria-label="Signals">
        <Answered path={path} asked={asked}>
          {(answer) => {
            const rows = newestFirst(answer.rows).filter((row) =>
              passes(filter, { sense: fullNameOf(row), payload: JSON.stringify(row.payload), id: String(row.id) }),
            );
            if (answer.rows.length === 0 && param("q") === "" && live)
              return (
                <Empty
                  icon="signals"
                  title="No signal yet."
                  more="A signal is what a sense saw."
                  command="nerve status"
                />
              );
            if (rows.length === 0) return <NoMatch what="signal" />;
            return (
              <>
                <table class="cards signals">
                  <colgroup>
                    <col class="w-id" />
                    <col class="w-time" />
                    <col class="w-sense" />
                    <col />
                    <col class="w-link c-sm" />
                  </colgroup>
                  <thead>
                    <tr>
                      <th class="r">Id</th>
                      <th>At</th>
                      <th>Sense</th>
                      <th>Says</th>
                      <th class="c-sm r">More</th>
                    </tr>
                  </thead>
                  <tbody>
                    {rows.map((signal) => (
                      <SignalRow key={signal.id} signal={signal} />
                    ))}
                  </tbody>
                </table>
                <Older listing={answer} noun="signal" />
              </>
            );
          }}
        </Answered>
      </section>
    </>
  );
}
