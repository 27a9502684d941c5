/** Owns SHA-256, and what is signed with it. `node:crypto` would do as well, and loads half a megabyte of streams into every process. */

/** Of the whole content at once, as 64 lowercase hex digits. Text is taken as UTF-8. */
export const sha256 = (content: string | Uint8Array): string => Bun.CryptoHasher.hash("sha256", content, "hex");

/** Of content that comes piece by piece. */
export class Sha256 {
  readonly #hasher = new Bun.CryptoHasher("sha256");

  update(piece: string | Uint8Array): this {
    this.#hasher.update(piece);
    return this;
  }

  /** 64 lowercase hex digits. Ends the digest. */
  hex(): string {
    return this.#hasher.digest("hex");
  }
}

/** The signature of `text` under `key`, in the letters of Base64 for URLs. */
export const hmacSha256 = (key: string, text: string): string =>
  new Bun.CryptoHasher("sha256", key).update(text).digest("base64url");
