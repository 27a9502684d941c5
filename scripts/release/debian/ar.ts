/** An `ar` archive of a Debian package: three members, of one time, owned by root. */

export interface Member {
  readonly name: string;
  readonly content: Uint8Array;
}

function header({ name, content }: Member, timeS: number): string {
  const fields = [name.padEnd(16), String(timeS).padEnd(12), "0".padEnd(6), "0".padEnd(6), "100644".padEnd(8)];
  return `${fields.join("")}${String(content.length).padEnd(10)}\`\n`;
}

export const ar = (members: readonly Member[], timeS: number): Uint8Array =>
  Buffer.concat([
    Buffer.from("!<arch>\n"),
    ...members.flatMap((member) => [
      Buffer.from(header(member, timeS)),
      member.content,
      // A member begins at an even place.
      Buffer.from(member.content.length % 2 === 0 ? "" : "\n"),
    ]),
  ]);
