/** Hosts that join and leave while the server runs: the configuration is printed anew, and the server reads it again. */
import { expect, test } from "bun:test";
import { bare, FleetHost } from "../helpers/fleet-host.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { type Fleet, HAS_NATS, natsServer, printed, streamOn } from "../helpers/nats.ts";
import { until } from "../helpers/until.ts";

const of = (...hosts: readonly string[]): Fleet => ({ hubs: ["hub"], hosts, sites: {} });

test.if(HAS_NATS)(
  "a host joins and another leaves by a reload of the server, and those that stay lose nothing",
  async () => {
    await using server = await natsServer(printed(of("web1")));
    await streamOn(server.url);
    using folder = temporaryFolder();
    await using hub = new FleetHost("hub", folder.file("hub")).start(server.url, { receive: ["*/*"] });
    await using web1 = new FleetHost("web1", folder.file("web1")).start(server.url);
    await using web2 = new FleetHost("web2", folder.file("web2")).start(server.url);
    const arrived = (host: FleetHost) =>
      until(`all of ${host.name} has arrived`, () => hub.of(host.name).length === host.own().length);
    web1.say(10);
    web2.say(10);
    await arrived(web1);
    await until("web2 is not accepted", () => web2.state.out === "blocked");
    server.reload(printed(of("web1", "web2")));
    // The server starts what an account imports at its start, or at the reload behind the one that brought the account.
    await until("web2 is accepted", () => !web2.why.out.includes("does not accept"));
    server.reload(printed(of("web1", "web2")));
    await arrived(web2);
    web1.say(10);
    await arrived(web1);
    expect((await hub.ask(["web1", "web2"])).map(({ why }) => why)).toEqual([null, null]);
    server.reload(printed(of("web2")));
    await until("web1 is not accepted", () => web1.state.out === "blocked");
    web2.say(10);
    await arrived(web2);
    for (const host of [web1, web2]) expect(bare(hub.of(host.name))).toEqual(bare(host.own()));
    expect(hub.gaps).toEqual([]);
  },
);
