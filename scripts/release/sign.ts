/** The signature of a release: an ssh signature, which `ssh-keygen -Y verify` of any machine can check. */
import { giveUp } from "../toolchain.ts";

/** What the signature is for, so that none made for something else passes. */
export const NAMESPACE = "nerve-release";

/** Writes `FILE.sig`. The key may be in an agent: then `key` is its public half. */
export function sign(file: string, key: string): void {
  const child = Bun.spawnSync(["ssh-keygen", "-Y", "sign", "-f", key, "-n", NAMESPACE, file], {
    stdio: ["inherit", "inherit", "pipe"],
  });
  if (child.exitCode !== 0) giveUp(`ssh-keygen does not sign: ${child.stderr.toString().trim()}`);
}
