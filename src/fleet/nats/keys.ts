/** Key pairs of users: the server knows the public half, and a host proves with the seed who it is. */
import { nkeys } from "@nats-io/transport-node";

export interface KeyPair {
  readonly publicKey: string;
  readonly seed: string;
}

export function newKeyPair(): KeyPair {
  const pair = nkeys.createUser();
  return { publicKey: pair.getPublicKey(), seed: new TextDecoder().decode(pair.getSeed()) };
}

/** The public half that belongs to a seed. */
export const publicKeyOf = (seed: string): string =>
  nkeys.fromSeed(new TextEncoder().encode(seed.trim())).getPublicKey();
