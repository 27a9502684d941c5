/** The key `needs`: what it holds once it is read, and what is refused. */
import { describe, expect, test } from "bun:test";
import { parseNerveConfig } from "../../src/config/parse.ts";
import { formatProblem } from "../../src/model/problem.ts";

const needsOf = (needs: string) => {
  const result = parseNerveConfig(`senses: { load: { needs: ${needs} } }\nreflexes: [{ sense: load, interval: 1s }]`);
  return result.ok ? result.value.senses.get("load")?.needs : result.error.map(formatProblem);
};

test("a sense without needs has none", () => {
  const result = parseNerveConfig("senses: { load: }\nreflexes: [{ sense: load, interval: 1s }]");
  expect(result.ok && result.value.senses.get("load")?.needs).toBeNull();
});

test("everything that can be needed is read, with what is written marked by :rw", () => {
  const text =
    "{ groups: [adm], capabilities: [CAP_NET_RAW], devices: [/dev/sda, char-drm:rw], network: [192.0.2.0/24, '2001:db8::1'], paths: [/srv/a, '/srv/b c:rw'], programs: [journalctl, systemctl restart  nginx] }";
  expect(needsOf(text)).toEqual({
    groups: ["adm"],
    capabilities: ["CAP_NET_RAW"],
    devices: [
      { path: "/dev/sda", access: "read" },
      { path: "char-drm", access: "write" },
    ],
    network: ["192.0.2.0/24", "2001:db8::1"],
    paths: [
      { path: "/srv/a", access: "read" },
      { path: "/srv/b c", access: "write" },
    ],
    programs: [["journalctl"], ["systemctl", "restart", "nginx"]],
  });
});

test("a workflow has needs too, and `network: true` is every address", () => {
  const result = parseNerveConfig(
    "senses: { load: }\nworkflows: { page: { use: exec, needs: { network: true } } }\nreflexes: [{ sense: load, interval: 1s }]",
  );
  expect(result.ok && result.value.workflows.get("page")?.needs?.network).toEqual(["any"]);
  expect(needsOf("{ network: false }")).toMatchObject({ network: [] });
});

describe("refused at its place, with what is valid:", () => {
  test.each([
    ["{ group: [adm] }", "`senses.load.needs.group` is not a known key; did you mean `groups`?"],
    ["{ groups: ['a b'] }", "`senses.load.needs.groups[0]` must be the name of a group"],
    ["{ capabilities: [CAP_NET_ROW] }", "did you mean `CAP_NET_RAW`?"],
    ["{ devices: [sda] }", "must be a device such as /dev/sda or char-drm"],
    ["{ paths: [reports] }", "must be an absolute path such as /srv/reports"],
    ['{ paths: ["/srv/a\\nExecStart=/bin/sh"] }', "must be an absolute path such as /srv/reports"],
    ["{ network: [example.com] }", "must be an address or network such as 192.0.2.7 or 10.0.0.0/8"],
    ["{ network: [10.0.0.0/33] }", "must be an address or network such as 192.0.2.7 or 10.0.0.0/8"],
    ["{ programs: journalctl }", "must be a list of programs"],
    ["[adm]", "`senses.load.needs` must be a map"],
  ])("%s", (text, says) => {
    expect(String(needsOf(text))).toContain(says);
  });
});
