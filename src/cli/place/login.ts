/** Owns the name of the person at the terminal. */
import { readFileSync } from "node:fs";

/** The person at the terminal, also behind `sudo`. A user without a line in the list of users is a number. */
export function login(): string {
  const { SUDO_USER: behind = "" } = process.env;
  if (behind !== "") return behind;
  const uid = String(process.getuid?.() ?? "");
  return users().find(([, , id]) => id === uid)?.[0] ?? uid;
}

function users(): string[][] {
  try {
    return readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}
