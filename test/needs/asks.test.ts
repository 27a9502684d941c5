/** What each sense and workflow of a configuration asks of the host, from the configuration alone. */
import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import { parseNerveConfig } from "../../src/config/parse.ts";
import { asksOf, type Modules } from "../../src/needs/asks.ts";

const BUILT_IN: Modules = { isBuiltIn: () => true, isSecret: () => false };

function asked(text: string, modules = BUILT_IN) {
  const result = parseNerveConfig(text);
  if (!result.ok) throw new Error(result.error[0]?.message);
  return asksOf(result.value, modules);
}

const needs = (text: string, modules = BUILT_IN) => asked(text, modules).asks.map(({ need }) => need);

const exec = (...words: string[]) => `workflows: { w: { use: exec, with: { command: ${JSON.stringify(words)} } } }`;
const webhook = (url: string) => `workflows: { w: { use: webhook, with: { url: "${url}" } } }`;

test("senses that only look at /proc ask for nothing", () => {
  const senses = "cpu-usage memory load disk-io network-io processes pressure host-health nerve".split(" ");
  expect(needs(`senses: { ${senses.map((name) => `${name}: `).join(", ")} }`)).toEqual([]);
});

test("disk-usage asks for its path", () => {
  expect(needs("senses: { d: { use: disk-usage, with: { path: /srv } } }")).toEqual([
    { kind: "path", path: "/srv", access: "read" },
  ]);
});

test("each ask names who asks, and what the need follows from", () => {
  expect(asked(exec("journalctl", "-n", "1")).asks).toEqual([
    { who: "workflow:w", need: { kind: "program", name: "journalctl" }, because: "its `command`" },
    { who: "workflow:w", need: { kind: "group", name: "systemd-journal" }, because: "`journalctl`" },
  ]);
});

test("http, tcp and tls ask for their server, and tls for a file where it looks into one", () => {
  const asks = (use: string, options: string) => needs(`senses: { s: { use: ${use}, with: { ${options} } } }`);
  const network = (address: string) => [{ kind: "network" as const, address }];
  expect(asks("http", "url: 'https://192.0.2.8/x'")).toEqual(network("192.0.2.8"));
  expect(asks("http", "url: 'http://localhost/'")).toEqual([]);
  expect(asks("tcp", "host: db.example.org, port: 1")).toEqual(network("any"));
  expect(asks("tcp", "host: '2001:db8::1', port: 1")).toEqual(network("2001:db8::1"));
  expect(asks("tcp", "host: '::1', port: 1")).toEqual([]);
  expect(asks("tls", "host: 192.0.2.8")).toEqual(network("192.0.2.8"));
  expect(asks("tls", "file: /etc/ssl/a.pem")).toEqual([{ kind: "path", path: "/etc/ssl/a.pem", access: "read" }]);
  // Paths are relative to nerve.yaml.
  expect(asks("tls", "file: a.pem")).toEqual([{ kind: "path", path: resolve("a.pem"), access: "read" }]);
});

test("docker asks for its group and socket, file-age for the folder in which files come and go, systemd for systemctl", () => {
  const asks = (use: string, options: string) => needs(`senses: { s: { use: ${use}, with: { ${options} } } }`);
  expect(asks("docker", "")).toEqual([{ kind: "group", name: "docker" }]);
  expect(asks("docker", "socket: /run/user/9/podman/podman.sock")).toEqual([
    { kind: "path", path: "/run/user/9/podman/podman.sock", access: "write" },
  ]);
  expect(asks("file-age", "path: '/srv/*/db.gz'")).toEqual([{ kind: "path", path: "/srv", access: "read" }]);
  expect(asks("file-age", "path: /srv/a/db.gz")).toEqual([{ kind: "path", path: "/srv/a", access: "read" }]);
  expect(asks("systemd", "")).toEqual([{ kind: "program", name: "systemctl" }]);
  expect(asks("disks", "")).toEqual([]);
});

describe("webhook:", () => {
  test.each([
    ["http://localhost:9/x", []],
    ["http://127.0.0.1/", []],
    ["http://[::1]:9/", []],
    ["https://192.0.2.7/x", ["192.0.2.7"]],
    ["https://[2001:db8::1]/x", ["2001:db8::1"]],
    ["https://example.com/x", ["any"]],
  ])("%s asks for %p", (url, addresses) => {
    expect(needs(webhook(url))).toEqual(addresses.map((address) => ({ kind: "network", address })));
  });

  test("an address that came from outside the file stands in no unit", () => {
    const modules: Modules = { ...BUILT_IN, isSecret: () => true };
    expect(needs(webhook("https://192.0.2.7/x"), modules)).toEqual([{ kind: "network", address: "any" }]);
  });
});

describe("what a program needs in turn:", () => {
  const UNITS = "org.freedesktop.systemd1.manage-units";
  const permission = (action: string, verb: string | null, unit: string | null) => ({
    kind: "permission",
    permission: { action, verb, unit },
  });

  test.each<[string[], unknown[]]>([
    [["systemctl", "restart", "mail-queue"], [permission(UNITS, "restart", "mail-queue.service")]],
    [["/usr/bin/systemctl", "--no-ask-password", "stop", "a.socket"], [permission(UNITS, "stop", "a.socket")]],
    [["systemctl", "restart", "{{ payload.unit }}.service"], [permission(UNITS, "restart", null)]],
    [["systemctl", "is-active", "nginx"], []],
    [["systemctl", "daemon-reload"], [permission("org.freedesktop.systemd1.reload-daemon", null, null)]],
    [["docker", "ps"], [{ kind: "group", name: "docker" }]],
    [["sh", "-c", "docker ps -q | wc -l"], [{ kind: "group", name: "docker" }]],
    [["env", "LC_ALL=C", "journalctl", "-n1"], [{ kind: "group", name: "systemd-journal" }]],
    [
      ["ping", "-c1", "192.0.2.1"],
      [
        { kind: "capability", name: "CAP_NET_RAW" },
        { kind: "network", address: "any" },
      ],
    ],
    [["/opt/plugins/check_ntp"], []],
  ])("%p", (words, expected) => {
    const found = needs(exec(...words)).filter(({ kind }) => kind !== "program" && kind !== "path");
    expect(found).toEqual(expected as typeof found);
  });

  test("what gains rights, and a script that cannot be read, are remarked on", () => {
    expect(asked(exec("sudo", "true")).remarks).toEqual([
      { who: "workflow:w", text: expect.stringContaining("gains no rights under the unit") },
    ]);
    expect(asked(exec("sh", "/opt/x.sh")).remarks).toEqual([
      { who: "workflow:w", text: expect.stringContaining("cannot be read from its arguments") },
    ]);
  });

  test("a script whose needs are written is not remarked on", () => {
    const text = "workflows: { w: { use: exec, with: { command: [sh, /opt/x.sh] }, needs: { groups: [adm] } } }";
    expect(asked(text).remarks).toEqual([]);
    expect(asked(text).asks).toContainEqual({
      who: "workflow:w",
      need: { kind: "group", name: "adm" },
      because: "its `needs`",
    });
  });
});

test("a module of one's own asks for what its entry says, whatever its name", () => {
  const own: Modules = { ...BUILT_IN, isBuiltIn: () => false };
  expect(needs(webhook("https://example.com/"), own)).toEqual([]);
  const text = "senses: { load: { needs: { programs: [systemctl restart nginx], paths: ['/srv/out:rw'] } } }";
  expect(needs(text, own)).toEqual([
    { kind: "path", path: "/srv/out", access: "write" },
    { kind: "program", name: "systemctl" },
    {
      kind: "permission",
      permission: { action: "org.freedesktop.systemd1.manage-units", verb: "restart", unit: "nginx.service" },
    },
  ]);
});

describe("a channel asks for its server:", () => {
  const any = [{ kind: "network", address: "any" } as const];
  const one = (address: string) => [{ kind: "network", address } as const];

  test.each<[string, ReturnType<typeof needs>]>([
    ["{ ntfy: https://ntfy.sh/x }", any],
    ["{ ntfy: { url: 'https://192.0.2.7/x', token: t } }", one("192.0.2.7")],
    ["{ slack: 'https://hooks.slack.com/services/x' }", any],
    ["{ discord: 'https://[2001:db8::1]/x' }", one("2001:db8::1")],
    ["{ telegram: { token: '1:x', chat_id: 7 } }", any],
    ["{ pagerduty: { routing_key: '0123456789abcdef0123456789abcdef' } }", any],
    ["{ alertmanager: { url: 'http://127.0.0.1:9093' } }", []],
    ["{ smtp: { host: mx.example.org, from: a@example.org, to: [b@example.org] } }", any],
    ["{ smtp: { host: 192.0.2.9, from: a@example.org, to: [b@example.org] } }", one("192.0.2.9")],
    ["{ smtp: { host: '2001:db8::9', from: a@example.org, to: [b@example.org] } }", one("2001:db8::9")],
    ["{ smtp: { host: localhost, from: a@example.org, to: [b@example.org] } }", []],
    ["{ webhook: { url: 'https://192.0.2.8/x' } }", one("192.0.2.8")],
  ])("%s", (channel, expected) => {
    expect(needs(`channels: { team: ${channel} }`)).toEqual(expected);
  });

  test("under its name, with what the need follows from", () => {
    expect(asked("channels: { team: { ntfy: https://192.0.2.7/x } }").asks).toEqual([
      { who: "channel:team", need: { kind: "network", address: "192.0.2.7" }, because: "its `url`" },
    ]);
  });

  test("of the watchdog, too", () => {
    expect(asked('senses: { load: }\nwatchdog: { url: "https://192.0.2.7/ping/x" }').asks).toEqual([
      { who: "watchdog", need: { kind: "network", address: "192.0.2.7" }, because: "its `url`" },
    ]);
  });

  test("of the fleet: its servers, each once, and its files", () => {
    const servers = "[tls://192.0.2.7:4222, tls://192.0.2.7:4223, tls://nats.example, nats://127.0.0.1:4222]";
    expect(
      asked(`senses: { load: }\nfleet: { servers: ${servers}, send: [load], ca: /etc/nerve/ca.pem }`).asks,
    ).toEqual([
      { who: "fleet", need: { kind: "network", address: "192.0.2.7" }, because: "its `servers`" },
      { who: "fleet", need: { kind: "network", address: "any" }, because: "its `servers`" },
      { who: "fleet", need: { kind: "path", path: "/etc/nerve/ca.pem", access: "read" }, because: "its `ca`" },
    ]);
  });

  test("of what is sent by OTLP: its receiver", () => {
    const otlp = "{ endpoint: https://192.0.2.8:4318/base, send: { runs: true } }";
    expect(asked(`senses: { load: }\notlp: ${otlp}`).asks).toEqual([
      { who: "otlp", need: { kind: "network", address: "192.0.2.8" }, because: "its `endpoint`" },
    ]);
  });

  test("that came from outside the file, and stands in no unit", () => {
    const modules: Modules = { ...BUILT_IN, isSecret: () => true };
    const mail = "{ smtp: { host: 192.0.2.9, from: a@example.org, to: [b@example.org] } }";
    expect(needs(`channels: { team: { slack: "https://192.0.2.7/x" }, mail: ${mail} }`, modules)).toEqual([
      ...any,
      ...any,
    ]);
  });
});
