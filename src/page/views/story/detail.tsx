/** What a row of the waterfall opens to: payload, tries of a step, data of a log. */
import { fullNameOf } from "../../../model/full-name.ts";
import { Facts, Foreign, StatusMark } from "../../parts/basics.tsx";
import { linkTo } from "../../state/route.ts";
import type { StoryRow } from "../../story/rows.ts";
import type { Try } from "../../story/run-timeline.ts";
import { span, took } from "../../words/numbers.ts";
import { spaced } from "../../words/payload.ts";
import { RUN_MARKS } from "../../words/states.ts";
import { exactClock, whole } from "../../words/times.ts";

export const Json = ({ value }: { readonly value: unknown }) => (
  <pre>
    <Foreign text={spaced(value)} />
  </pre>
);

export function TryText({ one }: { readonly one: Try }) {
  const long = took(one.to - one.from);
  if (one.state === "running") return <StatusMark mark={{ ...RUN_MARKS.running, word: `running for ${long}` }} />;
  if (one.state === "failed")
    return (
      <>
        <StatusMark mark={{ ...RUN_MARKS.failed, word: "failed" }} /> after {long}
        {one.until === null ? "" : `, again in ${span(one.until - one.to)}`}
        <pre>
          <Foreign text={one.error ?? ""} />
        </pre>
      </>
    );
  return (
    <>
      <StatusMark mark={RUN_MARKS.completed} /> in {long}
      {one.result === null ? null : <Json value={one.result} />}
    </>
  );
}

function Content({ row }: { readonly row: StoryRow }) {
  const { detail } = row;
  if (detail === null) return null;
  if (detail.kind === "signal") {
    const { at, id, payload } = detail.row;
    return (
      <Facts
        rows={[
          [
            "Signal",
            <a class="lnk" href={linkTo("signals", { sel: String(id), q: `sense:${fullNameOf(detail.row)}` })}>
              {id}
            </a>,
          ],
          ["At", <span title={whole(at)}>{exactClock(at)}</span>],
          ["Payload", <Json value={payload} />],
        ]}
      />
    );
  }
  if (detail.kind === "step")
    return <Facts rows={detail.line.tries.map((one, nth) => [`Try ${nth + 1}`, <TryText one={one} />])} />;
  if (detail.kind === "run") {
    const { id, error, input, output } = detail.row;
    return (
      <Facts
        rows={[
          [
            "Run",
            <a class="lnk" href={linkTo("runs", { sel: String(id) })}>
              {id}
            </a>,
          ],
          error === null
            ? null
            : [
                "Error",
                <pre class="crit">
                  <Foreign text={error} />
                </pre>,
              ],
          ["Input", <Json value={input} />],
          output === null ? null : ["Output", <Json value={output} />],
        ]}
      />
    );
  }
  const { event, id, message, data, at } = detail.row;
  return (
    <Facts
      rows={[
        ["Event", `${event}, log ${id}`],
        ["At", <span title={whole(at)}>{exactClock(at)}</span>],
        ["Message", <Foreign text={message} />],
        data === null ? null : ["Data", <Json value={data} />],
      ]}
    />
  );
}

export const StoryDetail = ({ row }: { readonly row: StoryRow }) => (
  <div class="wx" style={{ "--in": String(Math.min(row.depth, 8)) }}>
    <Content row={row} />
  </div>
);
