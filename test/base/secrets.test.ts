// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are what stands in a value's place
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Secrets } from "../../src/base/secrets.ts";

const TOKEN = 'p@ss/w:rd+"x" 42';

const secretsOf = (...values: string[]): Secrets => {
  const secrets = new Secrets();
  secrets.learn(values.map((value, index) => ({ written: `\${S${index}}`, value })));
  return secrets;
};

describe("a value is masked", () => {
  const FORMS: readonly [string, string][] = [
    ["as it is", TOKEN],
    ["in a query", `https://h/?t=${encodeURIComponent(TOKEN)}&x=1`],
    ["in a query, by a form", `https://h/?${new URLSearchParams({ t: TOKEN })}`],
    ["in a query, in small letters", `?t=${encodeURIComponent(TOKEN).toLowerCase()}`.replace("X%22", "x%22")],
    ["in a path", new URL(`http://h/${encodeURI(TOKEN)}`).href],
    ["as a user of a URL", Object.assign(new URL("http://h/"), { username: TOKEN }).href],
    ["as a password of a URL", Object.assign(new URL("http://h/"), { username: "me", password: TOKEN }).href],
    ["as JSON text", JSON.stringify({ t: TOKEN })],
    ["as JSON text in JSON text", JSON.stringify(JSON.stringify({ t: TOKEN }))],
    ["in a Basic header of a short user", `Basic ${btoa(`u:${TOKEN}`)}`],
    ["in a Basic header of a longer user", `Basic ${btoa(`us:${TOKEN}`)}`],
    ["in a Basic header of the longest user", `Basic ${btoa(`use:${TOKEN}`)}`],
    ["as Base64 for URLs", Buffer.from(`a${TOKEN}`).toString("base64url")],
  ];
  test.each(FORMS)("%s", (_, text) => {
    const masked = secretsOf(TOKEN).text(`before ${text} after`);
    expect(masked).toContain("${S0}");
    expect(masked).toStartWith("before ");
    expect(masked).toEndWith(" after");
    for (const part of ["p@ss", "p%40ss", "w:rd", btoa(TOKEN).slice(4, 12)]) expect(masked).not.toContain(part);
  });

  test("line by line, where only a line of it is printed", () => {
    const key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END KEY-----";
    expect(secretsOf(key).text("bad line: MIIEvQIBADANBgkqhkiG")).toBe("bad line: ${S0}");
  });

  test("as the path of a URL that is a secret as a whole", () => {
    const secrets = secretsOf("https://hooks.example/services/T00/B00/XXXXXXXX");
    expect(secrets.text("POST /services/T00/B00/XXXXXXXX: 404")).toBe("POST ${S0}: 404");
    expect(secrets.text("fetch https://hooks.example/services/T00/B00/XXXXXXXX failed")).toBe("fetch ${S0} failed");
  });

  test("the longer of two where one is a part of the other", () => {
    expect(secretsOf("abcdef", "abcdefgh").text("abcdefgh abcdef")).toBe("${S1} ${S0}");
  });

  test("in keys and texts of JSON, and nowhere else", () => {
    const secrets = secretsOf("123456", "hunter22");
    expect<unknown>(secrets.json({ "hunter22!": ["hunter22", 123456, true, null] })).toEqual({
      "${S1}!": ["${S1}", 123456, true, null],
    });
    expect(secrets.jsonText('{"id":123456,"x":"a hunter22"}')).toBe('{"id":123456,"x":"a ${S1}"}');
    expect(secrets.jsonText(null)).toBeNull();
  });

  test("also after another was learned, and never twice", () => {
    const secrets = secretsOf("first-token");
    secrets.learn([{ written: "${B}", value: "second-token" }]);
    secrets.learn([{ written: "${B}", value: "second-token" }]);
    expect(secrets.text("first-token second-token")).toBe("${S0} ${B}");
  });
});

test("values of less than six characters are left alone", () => {
  expect(secretsOf("short", "").text("short text")).toBe("short text");
});

test("what holds no value stays as it is, whatever it is", () => {
  const secrets = secretsOf("zzzzzz-not-there-zzzzzz");
  fc.assert(fc.property(fc.json(), (text) => expect(secrets.jsonText(text)).toBe(text)));
  fc.assert(fc.property(fc.string(), (text) => expect(secrets.text(text)).toBe(text)));
});

test("no value survives in any text around it", () => {
  fc.assert(
    fc.property(
      // What stands in its place must not make it up again.
      fc.string({ minLength: 6 }).filter((value) => !/[${}S0]/.test(value)),
      fc.string(),
      fc.string(),
      (value, before, after) => expect(secretsOf(value).text(before + value + after)).not.toContain(value),
    ),
  );
});
