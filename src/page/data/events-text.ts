/** Reads a stream of server-sent events: text in, events out, whatever the pieces in which the text arrives. */

export interface TextEvent {
  /** The newest id so far; the empty string: none yet. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export class EventText {
  #rest = "";
  #id = "";
  #event = "message";
  #data: string[] = [];

  /** The events that `piece` completes. */
  read(piece: string): TextEvent[] {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line) ?? []);
  }

  #line(line: string): TextEvent | null {
    if (line === "") return this.#end();
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "id" && !value.includes("\0")) this.#id = value;
    if (name === "event") this.#event = value;
    if (name === "data") this.#data.push(value);
    return null;
  }

  #end(): TextEvent | null {
    const found = this.#data.length === 0 ? null : { id: this.#id, event: this.#event, data: this.#data.join("\n") };
    this.#event = "message";
    this.#data = [];
    return found;
  }
}
