/** Owns the request to a channel other than mail: one HTTP request. */
export interface ChannelRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const jsonRequest = (
  url: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): ChannelRequest => ({
  url,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});

/** `path` after the path of the address, without a second `/`. */
export const below = (address: string, path: string): string => `${address.replace(/\/+$/, "")}${path}`;
