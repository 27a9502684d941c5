/** Several payloads of one compute. Lives here because authors make the list and the runtime knows the list by its class. */
export class Signals<Emitted> {
  readonly payloads: readonly Emitted[];

  constructor(payloads: readonly Emitted[]) {
    this.payloads = payloads;
  }
}
