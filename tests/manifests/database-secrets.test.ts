import assert from "node:assert/strict";
import {
  everyOwnSecret,
  isOwnSecret,
  neededSecrets,
  ownSecrets,
  secretErrors,
} from "../../src/manifests/database-secrets.ts";

const mine = { application: "mine", migrations: "my-migrations", existing: true };

describe("ownSecrets", () => {
  it("returns one Secret for a shared role, and two for separate roles", () => {
    const [one, two, next] = [undefined, "homelab_app", "homelab_app_2"].map(ownSecrets);
    assert.deepEqual(one, { application: "unity-database", migrations: "unity-database", existing: false });
    assert.deepEqual(two, {
      application: "unity-database-homelab-app",
      migrations: "unity-migrations",
      existing: false,
    });
    assert.equal(next?.application, "unity-database-homelab-app-2");
  });
  it("returns names that existing Secrets can't have", () => {
    for (const role of [undefined, "a", "homelab_app_2"]) {
      const { application, migrations } = ownSecrets(role);
      assert.ok(isOwnSecret(application) && isOwnSecret(migrations));
    }
    assert.ok(!isOwnSecret("mine"));
  });
});

describe("neededSecrets", () => {
  const table: [what: string, needed: object, expected: object][] = [
    ["none if the program declares them", neededSecrets(ownSecrets("a"), true), []],
    [
      "one Secret for a shared role",
      neededSecrets({ ...mine, migrations: "mine" }, false),
      [{ setting: "databaseSecret", name: "mine", keys: ["DATABASE_URL"] }],
    ],
    [
      "the owner's password for an owned database",
      neededSecrets(mine, true),
      [
        { setting: "databaseSecret", name: "mine", keys: ["DATABASE_URL"] },
        { setting: "migrationSecret", name: "my-migrations", keys: ["DATABASE_URL", "POSTGRES_PASSWORD"] },
      ],
    ],
  ];
  for (const [what, needed, expected] of table) it(`returns ${what}`, () => assert.deepEqual(needed, expected));
});

describe("everyOwnSecret", () => {
  it("returns the Secrets of shared and of separate roles", () => {
    assert.deepEqual(everyOwnSecret("app"), ["unity-database", "unity-database-app", "unity-migrations"]);
  });
});

describe("secretErrors", () => {
  const needed = neededSecrets(mine, true);
  const lab = { context: "lab", namespace: "unity" };
  const complete = { keys: ["DATABASE_URL", "POSTGRES_PASSWORD", "more"] };
  it("returns nothing for Secrets with their keys", () => {
    const found = new Map([
      ["mine", complete],
      ["my-migrations", complete],
    ]);
    assert.deepEqual(secretErrors(needed, found, lab), []);
  });
  it("reports the missing Secret or key, with the command that creates it", () => {
    const [first = "", second = ""] = secretErrors(
      needed,
      new Map([["my-migrations", { keys: ["DATABASE_URL"] }]]),
      lab,
    );
    assert.match(
      first,
      /^Secret "mine" \(unity:databaseSecret\) not found\. Run: kubectl --context lab -n unity create secret generic mine --from-file=DATABASE_URL=<file>$/,
    );
    assert.match(
      second,
      /^Secret "my-migrations" \(unity:migrationSecret\) has no key POSTGRES_PASSWORD\. Run: kubectl /,
    );
  });
});
