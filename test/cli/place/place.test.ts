/** The choice of config and data directory, in a shell without the variables and credentials of the daemon. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { findPlace, loadRules } from "../../../src/cli/place/place.ts";
import { project } from "../../helpers/nerve.ts";

const CONFIG = `senses: { load: }
channels:
  phone: { ntfy: { url: "https://ntfy.sh/x", token: "\${credential:place-test}" } }
  hook: { webhook: "https://example.org/\${PLACE_TEST_MISSING}" }
reflexes:
  - { name: busy, workflow: notify, on: [load], when: { load1: number > 9 }, incident: }
workflows: { notify: { with: { to: [phone, hook] } } }
`;

describe("a shell that lacks what only the daemon gets", () => {
  test("reads the rules: `nerve explain`, `nerve why NAME` and `nerve backtest` work there", () => {
    using folder = project({ "nerve.yaml": CONFIG });
    const file = join(folder.path, "nerve.yaml");
    const place = findPlace(file);
    expect(place.ok && place.value.problems).toEqual([]);
    expect(place.ok && place.value.config?.reflexes.map(({ name }) => name)).toEqual(["busy"]);
    expect(place.ok && place.value.data).toBe(join(folder.path, "data"));
    expect(loadRules(file, true).ok).toBe(true);
  });

  test("does not read rules whose words hold such a value", () => {
    using folder = project({ "nerve.yaml": CONFIG.replace("number > 9", `"\${PLACE_TEST_MISSING}"`) });
    const place = findPlace(join(folder.path, "nerve.yaml"));
    expect(place.ok && place.value.config).toBeNull();
    expect(place.ok && place.value.problems.map(({ message }) => message)).toContain(
      "the environment variable PLACE_TEST_MISSING is not set",
    );
  });

  test("does not guess the data directory", () => {
    using folder = project({ "nerve.yaml": `data: "\${PLACE_TEST_MISSING}"\n${CONFIG}` });
    expect(findPlace(join(folder.path, "nerve.yaml")).ok).toBe(false);
  });

  test("names a problem that is not only such a value", () => {
    using folder = project({ "nerve.yaml": CONFIG.replace("to: [phone, hook]", "to: [phone, hok]") });
    const place = findPlace(join(folder.path, "nerve.yaml"));
    expect(place.ok && place.value.config).toBeNull();
    expect(place.ok && place.value.problems.map(({ hint }) => hint)).toContain("did you mean `hook`?");
  });
});
