/** The page: begins with the session, then follows what happens, and shows the view that the URL names. */
import { render } from "preact";
import { access, openSession } from "./data/api.ts";
import { isOld, startLive, untilConnected } from "./data/live.ts";
import { Empty } from "./parts/basics.tsx";
import { drawHarmless } from "./parts/harmless.ts";
import { Shell, titleOf } from "./parts/shell.tsx";
import { startClock } from "./state/clock.ts";
import { startKeys } from "./state/keys.ts";
import { startRoute, type View, view } from "./state/route.ts";
import { startScreen } from "./state/screen.ts";
import { startTheme } from "./state/theme.ts";
import { Graph } from "./views/graph.tsx";
import { Incidents } from "./views/incidents.tsx";
import { Logs } from "./views/logs.tsx";
import { Now } from "./views/now.tsx";
import { Reflexes } from "./views/reflexes.tsx";
import { Runs } from "./views/runs.tsx";
import { Senses } from "./views/senses.tsx";
import { Signals } from "./views/signals.tsx";
import { Store } from "./views/store.tsx";
import { StoryView } from "./views/story.tsx";

const VIEW_OF: Readonly<Record<View, () => preact.JSX.Element | null>> = {
  now: Now,
  senses: Senses,
  signals: Signals,
  story: StoryView,
  reflexes: Reflexes,
  runs: Runs,
  incidents: Incidents,
  logs: Logs,
  graph: Graph,
  store: Store,
};

/** A browser that has no session: what a person types on the host. */
const Refused = () => (
  <main class="refused">
    <div class="panel">
      <Empty
        icon="key"
        title="This browser may not look yet."
        more="Type this on the host, and open the link that it prints. The link holds for 60 s."
        command="nerve open"
      />
    </div>
  </main>
);

function Page() {
  if (access.value === "refused") return <Refused />;
  const Shown = VIEW_OF[view.value];
  document.title = `${titleOf(view.value)} · nerve`;
  document.documentElement.classList.toggle("old", isOld.value);
  return (
    <Shell>
      <Shown key={view.value} />
    </Shell>
  );
}

const CONNECT_MS = 400;

async function start(): Promise<void> {
  drawHarmless();
  startTheme();
  startScreen();
  const opened = openSession();
  startRoute();
  await opened;
  startClock();
  startKeys();
  if (access.peek() !== "refused") {
    startLive();
    await untilConnected(CONNECT_MS);
  }
  const place = document.getElementById("page");
  if (place !== null) render(<Page />, place);
}

void start();
