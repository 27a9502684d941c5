/** Thrown by a query on a peer whose database does not exist yet. Lives here because authors catch it and the runtime throws it. */
export class PeerNotReady extends Error {
  override readonly name = "PeerNotReady";
  constructor(readonly sense: string) {
    super(`the database of sense "${sense}" does not exist yet: it has not run since nerve was set up`);
  }
}
