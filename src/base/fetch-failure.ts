/** Why a request of `fetch` came to nothing, without the address: the message of the error may hold it. */
export function fetchFailure(error: unknown): string {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  return typeof code === "string" ? code : String(name);
}
