/** The URL is the state: the view and all that a person chose in it stand behind the `#`. */
import { computed, signal } from "@preact/signals";

export const VIEWS = [
  "now",
  "senses",
  "signals",
  "story",
  "reflexes",
  "runs",
  "incidents",
  "logs",
  "graph",
  "store",
] as const;
export type View = (typeof VIEWS)[number];

/** What a view may keep in the URL. What is at its default is left out. */
export const PARAMS = ["q", "range", "from", "to", "sel", "about", "show", "level", "follow", "before"] as const;
export type Param = (typeof PARAMS)[number];
type Params = Readonly<Record<Param, string>>;
/** What changes; null takes a parameter out. */
export type Patch<Name extends Param> = Readonly<Record<Name, string | null>>;

export interface Route {
  readonly view: View;
  readonly params: Params;
}

const NONE: Params = Object.fromEntries(PARAMS.map((name) => [name, ""])) as Params;

const isView = (name: string): name is View => VIEWS.some((view) => view === name);

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const given = new URLSearchParams(query);
  const params = Object.fromEntries(PARAMS.map((name) => [name, given.get(name) ?? ""])) as Params;
  return { view: isView(path) ? path : "now", params };
}

export function formatRoute(view: View, params: Params): string {
  const kept = PARAMS.filter((name) => params[name] !== "");
  const query = kept.map((name) => `${name}=${encodeURIComponent(params[name])}`).join("&");
  return `#/${view}${query === "" ? "" : `?${query}`}`;
}

export const route = signal<Route>(parseRoute(""));
export const param = (name: Param): string => route.value.params[name];
/** The time range is one for all views, and so is what a person has chosen to hear about. */
const SHARED: readonly Param[] = ["range", "from", "to", "about"];

function changed<Name extends Param>(params: Params, patch: Patch<Name>): Params {
  const given = Object.entries<string | null>(patch).map(([name, value]) => [name, value ?? ""]);
  return { ...params, ...Object.fromEntries(given) };
}

/** Where a link to `view` leads: its parameters, and those that all views share. */
export function linkTo<Name extends Param>(view: View, patch: Patch<Name>): string {
  const { params } = route.value;
  const shared = { ...NONE, ...Object.fromEntries(SHARED.map((name) => [name, params[name]])) };
  return formatRoute(view, changed(shared, patch));
}

/** Changes what the view shows. A choice (`push`) can be gone back from; what is typed replaces itself. */
export function setParams<Name extends Param>(patch: Patch<Name>, how: "push" | "replace"): void {
  const { view, params } = route.peek();
  const hash = formatRoute(view, changed(params, patch));
  if (hash === formatRoute(view, params)) return;
  if (how === "push") location.hash = hash;
  else {
    history.replaceState(null, "", hash);
    route.value = parseRoute(hash);
  }
}

export function go(view: View): void {
  location.hash = linkTo(view, {});
}

export function startRoute(): void {
  const read = (): void => {
    route.value = parseRoute(location.hash);
  };
  addEventListener("hashchange", read);
  read();
}

export const view = computed(() => route.value.view);
