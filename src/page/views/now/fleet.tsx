/** What joins this host to others, beside the charts: how each link of the fleet and of OTLP is, and the hosts that are heard. */
import type { ComponentChildren } from "preact";
import type { FleetStatus } from "../../../model/fleet-status.ts";
import type { OtlpLink } from "../../../model/otlp-status.ts";
import type { HostRow, HostsAnswer } from "../../../web/contract-host.ts";
import { apiPath } from "../../data/api.ts";
import { type Asked, type Freshness, useAnswer } from "../../data/ask.ts";
import { useStatus } from "../../data/summary.ts";
import { Command, Foreign, Panel, Pill, StatusMark } from "../../parts/basics.tsx";
import { linkTo } from "../../state/route.ts";
import { count, counted } from "../../words/numbers.ts";
import { BEHIND, CLOCK_OFF, CONFLICT, HOST_MARKS, LATE, LINK_MARKS, type Mark } from "../../words/states.ts";
import { ago, moment } from "../../words/times.ts";

const HOSTS: Freshness = { everyMs: 5_000, after: [] };
/** The silent ones are first. */
const MOST_HOSTS = 8;

const useFleet = (): FleetStatus | null => useStatus().value?.status?.fleet ?? null;

export function useHosts(): Asked<HostsAnswer> {
  const receives = (useFleet()?.in ?? null) !== null;
  return useAnswer<HostsAnswer>(receives ? apiPath("hosts", { limit: MOST_HOSTS }) : null, HOSTS);
}

interface LinkProps {
  readonly name: string;
  readonly side: Pick<OtlpLink, "state" | "since" | "why" | "next_try">;
  /** What waits on it, and what else there is to say; null: nobody knows. */
  readonly waits: string | null;
  readonly mark: Mark;
}

function Link({ name, side: { state, since, why, next_try: next }, waits, mark }: LinkProps) {
  const begun = state === "connected" ? null : `since ${moment(since)}`;
  const again = next === null ? null : `next try ${ago(next)}`;
  return (
    <div class="kv">
      <span class="b">{name}</span>
      <StatusMark mark={mark} />
      <span class="s clamp" title={why ?? ""}>
        <Foreign text={[begun, again, waits, why].filter((part) => part !== null).join(" · ")} />
      </span>
    </div>
  );
}

/** What is worst about a host. */
function markOf({ host, state }: HostRow, { conflicts, clocks, late }: FleetStatus): Mark {
  const isIn = (hosts: readonly { readonly host: string }[]): boolean => hosts.some((one) => one.host === host);
  if (state === "silent") return HOST_MARKS.silent;
  if (isIn(conflicts)) return CONFLICT;
  if (isIn(clocks)) return CLOCK_OFF;
  return isIn(late) ? LATE : HOST_MARKS[state];
}

interface HostProps {
  readonly row: HostRow;
  readonly mark: Mark;
}

function Host({ row: { host, state, since, last_heard: heard, missing }, mark }: HostProps) {
  const parts = [
    state === "silent" ? `since ${moment(since)}` : null,
    heard === null ? "never heard" : `heard ${ago(heard)}`,
    missing > 0 ? `${count(missing)} missing` : null,
  ];
  return (
    <div class="kv">
      <a class="b tr" href={linkTo("signals", { q: `sense:${host}/` })}>
        <Foreign text={host} />
      </a>
      <StatusMark mark={mark} />
      <span class="s">{parts.filter((part) => part !== null).join(" · ")}</span>
    </div>
  );
}

const waiting = (amount: number, noun: string): string =>
  amount === 0 ? "nothing waits" : `${counted(amount, noun)} ${amount === 1 ? "waits" : "wait"}`;

const OtlpLinks = ({ links }: { readonly links: readonly OtlpLink[] }) => (
  <>
    {links.map((link) => (
      <Link
        key={link.kind}
        name={`OTLP ${link.kind}`}
        side={link}
        mark={LINK_MARKS[link.state]}
        waits={link.refused > 0 ? `${count(link.refused)} refused` : waiting(link.backlog, "row")}
      />
    ))}
  </>
);

const framesOf = (pending: number | null): string | null => (pending === null ? null : waiting(pending, "frame"));

export function LinksPanel({ hosts }: { readonly hosts: HostsAnswer | null }) {
  const { fleet = null, otlp = null } = useStatus().value?.status ?? {};
  const others = <OtlpLinks links={otlp?.links ?? []} />;
  if (fleet !== null) return <FleetPanel fleet={fleet} hosts={hosts} others={others} />;
  if (otlp === null) return null;
  return (
    <Panel title="OTLP" aside={null}>
      {others}
    </Panel>
  );
}

interface FleetProps {
  readonly fleet: FleetStatus;
  readonly hosts: HostsAnswer | null;
  readonly others: ComponentChildren;
}

function FleetPanel({ fleet, hosts, others }: FleetProps) {
  const { out, in: into, origins } = fleet;
  const { silent, up } = origins;
  const pill = silent > 0 ? <Pill tone="warn">{count(silent)} silent</Pill> : <Pill tone="ok">{count(up)} up</Pill>;
  const title = (
    <>
      <h2>Fleet</h2>
      {into === null ? null : pill}
    </>
  );
  return (
    <Panel title={title} aside={silent > 0 ? `${count(up)} up` : null}>
      <Link name="Out" side={out} mark={LINK_MARKS[out.state]} waits={waiting(out.backlog, "signal")} />
      {into === null ? null : (
        <Link
          name="In"
          side={into}
          mark={into.behind === null ? LINK_MARKS[into.state] : BEHIND}
          waits={framesOf(into.pending)}
        />
      )}
      {others}
      {(hosts?.hosts ?? []).map((row) => (
        <Host key={row.host} row={row} mark={markOf(row, fleet)} />
      ))}
      {hosts === null || hosts.more === 0 ? null : (
        <div class="kv">
          {count(hosts.more)} more
          <Command text="nerve fleet status" />
        </div>
      )}
    </Panel>
  );
}
