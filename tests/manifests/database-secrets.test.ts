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
  it("are one for one role, and two for two, the application's by the role's name", () => {
    const [one, two, next] = [undefined, "homelab_app", "homelab_app_2"].map(ownSecrets);
    assert.deepEqual(one, { application: "unity-database", migrations: "unity-database", existing: false });
    assert.deepEqual(two, {
      application: "unity-database-homelab-app",
      migrations: "unity-migrations",
      existing: false,
    });
    assert.equal(next?.application, "unity-database-homelab-app-2");
  });
  it("have names that others' Secrets can't have", () => {
    for (const role of [undefined, "a", "homelab_app_2"]) {
      const { application, migrations } = ownSecrets(role);
      assert.ok(isOwnSecret(application) && isOwnSecret(migrations));
    }
    assert.ok(!isOwnSecret("mine"));
  });
});

describe("neededSecrets", () => {
  const table: [what: string, needed: object, expected: object][] = [
    ["none, if the program makes them", neededSecrets(ownSecrets("a"), true), []],
    [
      "one of one role",
      neededSecrets({ ...mine, migrations: "mine" }, false),
      [{ setting: "databaseSecret", name: "mine", keys: ["DATABASE_URL"] }],
    ],
    [
      "the owner's password for a PostgreSQL of the stack's own",
      neededSecrets(mine, true),
      [
        { setting: "databaseSecret", name: "mine", keys: ["DATABASE_URL"] },
        { setting: "migrationSecret", name: "my-migrations", keys: ["DATABASE_URL", "POSTGRES_PASSWORD"] },
      ],
    ],
  ];
  for (const [what, needed, expected] of table) it(`are ${what}`, () => assert.deepEqual(needed, expected));
});

describe("everyOwnSecret", () => {
  it("has those of two roles, too, whichever a stack has now", () => {
    assert.deepEqual(everyOwnSecret("app"), ["unity-database", "unity-database-app", "unity-migrations"]);
  });
});

describe("secretFaults", () => {
  const needed = neededSecrets(mine, true);
  const lab = { context: "lab", namespace: "unity" };
  const whole = { keys: ["DATABASE_URL", "POSTGRES_PASSWORD", "more"] };
  it("are none of Secrets that have their keys", () => {
    const found = new Map([
      ["mine", whole],
      ["my-migrations", whole],
    ]);
    assert.deepEqual(secretErrors(needed, found, lab), []);
  });
  it("name the Secret or the key that is missing, with the command that makes it", () => {
    const [first = "", second = ""] = secretErrors(
      needed,
      new Map([["my-migrations", { keys: ["DATABASE_URL"] }]]),
      lab,
    );
    assert.match(
      first,
      /^unity:databaseSecret is "mine", which is not there\. Mend: kubectl --context lab create secret generic -n unity mine /,
    );
    assert.match(second, /^unity:migrationSecret is "my-migrations", which has no key POSTGRES_PASSWORD\./);
  });
});
