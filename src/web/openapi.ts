/** Owns the document of the API (OpenAPI 3.1): paths and parameters from the routes, answers from the types of the contracts. */
import type { JsonSchema } from "../base/json-schema.ts";
import type { Shape } from "./query.ts";
import SCHEMAS from "./schemas.json" with { type: "json" };

/** A path as the document needs it. */
export interface ApiPath {
  readonly kind: "answer" | "stream";
  readonly path: string;
  readonly takes: Shape;
  /** The name of a type in the contracts; null: this document. */
  readonly gives: string | null;
}

type Described = Readonly<Record<string, unknown>>;

const refTo = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
const content = (type: string, schema: JsonSchema): Described => ({ [type]: { schema } });

const REFUSAL = { description: "Why not.", content: content("application/json", refTo("RefusalAnswer")) };
const DOCUMENT: JsonSchema = { type: "object", required: ["openapi", "paths"] };
const TEXT: JsonSchema = { type: "string" };

const parametersOf = (path: string, takes: Shape): readonly Described[] => [
  ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: "path", required: true, schema: TEXT })),
  ...Object.entries(takes).map(([name, { schema }]) => ({ name, in: "query", required: false, schema })),
];

function pathOf({ kind, path, takes, gives }: ApiPath): Described {
  const schema = gives === null ? DOCUMENT : refTo(gives);
  const answer =
    kind === "stream"
      ? { description: "Server-sent events.", content: content("text/event-stream", schema) }
      : { description: "The answer.", content: content("application/json", schema) };
  const get = { parameters: parametersOf(path, takes), responses: { 200: answer, default: REFUSAL } };
  return { get };
}

/** What is answered beside the API: no JSON, or open to who has no token of the page. */
const BESIDE: Described = {
  "/session": {
    get: {
      description: "Exchanges the code of `nerve open`, sent as a bearer, for the cookie of a browser.",
      security: [{ token: [] }],
      responses: { 204: { description: "The cookie." }, default: REFUSAL },
    },
  },
  "/healthz": {
    get: {
      security: [],
      responses: {
        200: { description: "The kernel answers, and can commit.", content: content("text/plain", TEXT) },
        503: { description: "Not so.", content: content("text/plain", TEXT) },
      },
    },
  },
  "/metrics": {
    get: {
      description: "Opens to the token `metrics` as well.",
      responses: {
        200: { description: "Text for Prometheus.", content: content("text/plain", TEXT) },
        default: REFUSAL,
      },
    },
  },
};

export const openapi = (routes: readonly ApiPath[], version: string): Described => ({
  openapi: "3.1.0",
  info: {
    title: "nerve",
    version,
    description: "Looks at a running nerve. Times are Unix milliseconds, durations milliseconds, sizes bytes.",
  },
  security: [{ token: [] }, { cookie: [] }],
  paths: { ...Object.fromEntries(routes.map((route) => [route.path, pathOf(route)])), ...BESIDE },
  components: {
    securitySchemes: {
      token: { type: "http", scheme: "bearer", description: "`nerve token page` prints it." },
      cookie: {
        type: "apiKey",
        in: "cookie",
        name: "nerve-INSTANCE",
        description: "What `nerve open` gives a browser.",
      },
    },
    schemas: SCHEMAS,
  },
});
