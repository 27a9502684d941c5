/** What a log opens to: its event, its trace, its data, and a link that leads here again. */
import type { ShownLog } from "../../../web/contract.ts";
import { Command, Facts, Foreign } from "../../parts/basics.tsx";
import { linkTo } from "../../state/route.ts";
import { spaced } from "../../words/payload.ts";

export const LogDetail = ({ log }: { readonly log: ShownLog }) => (
  <div class="wx in-log">
    <Facts
      rows={[
        ["Event", `${log.event}, log ${log.id}`],
        log.trace === null
          ? null
          : [
              "Trace",
              <a class="lnk mono" href={linkTo("story", { sel: log.trace })}>
                {log.trace}
              </a>,
            ],
        log.data === null
          ? null
          : [
              "Data",
              <pre>
                <Foreign text={spaced(log.data)} />
              </pre>,
            ],
        [
          "See it",
          <Command text={log.trace === null ? `nerve logs --after ${log.id - 1} -n 1` : `nerve show ${log.trace}`} />,
        ],
      ]}
    />
  </div>
);
