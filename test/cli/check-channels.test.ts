/** `check` holds the options of a channel against what sends over the channel. */
import { afterAll, expect, test } from "bun:test";
import { projects, runInTmp } from "../helpers/nerve.ts";

const everywhere = projects();
afterAll(() => everywhere[Symbol.dispose]());

const configOf = (hook: string): string => `workflows: { notify: { with: { to: [hook] } } }
channels:
  hook:
    webhook:
      url: https://example.org/hook
      ${hook}
`;

test.each([
  ["timeuot: 5s", "6:7: the options of channel `hook` are refused: timeuot is not an option: did you mean `timeout`?"],
  [
    'headers: { "bad name": x }',
    "6:16: the options of channel `hook` are refused: headers must be headers of a request",
  ],
  ['body: { text: "{{ paylod.x }}" }', "6:13: the options of channel `hook` are refused: body must fill in only {{"],
])("a web hook with `%s` is refused before a message has to be sent", async (hook, said) => {
  const { code, stderr } = await runInTmp(everywhere.make({ "nerve.yaml": configOf(hook) }), ["check"]);
  expect([code, stderr]).toEqual([1, expect.stringContaining(`nerve.yaml:${said}`)]);
});

test("a web hook whose options can be read is fine", async () => {
  const hook = 'body: { text: "{{ payload.x }}" }';
  const { code } = await runInTmp(everywhere.make({ "nerve.yaml": configOf(hook) }), ["check"]);
  expect(code).toBe(0);
});
