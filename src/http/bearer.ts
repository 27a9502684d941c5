/** The token in a request. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]{1,512}) *$/i;

/** Of `Authorization: Bearer TOKEN`; empty where the header says something else, null without one. */
export const bearerOf = ({ headers }: Request): string | null => {
  const header = headers.get("authorization");
  return header === null ? null : (BEARER.exec(header)?.[1] ?? "");
};
