import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { projectRoot } from "../../src/paths.ts";
import { readSettingsSchema, settingDefaults, settingText } from "../../src/settings/schema.ts";
import { loadSettings } from "../../src/settings/settings.ts";

const schema = readSettingsSchema(projectRoot);
const digest = `sha256:${"a".repeat(64)}`;

/** What a stack's file in the project says, as Pulumi hands it over. */
function fileOf(stack: string): Record<string, string> {
  const { config } = parse(readFileSync(join(projectRoot, `Pulumi.${stack}.yaml`), "utf8"));
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, settingText(value)]));
}

/** What only a person can know. */
const known = {
  "unity:context": "cluster",
  "unity:image": `registry.example/unity-backend@${digest}`,
  "unity:databaseUrl": "postgresql://u:p@h/d",
  "unity:migrationDatabaseUrl": "postgresql://m:p@h/d",
};
const production = { ...fileOf("production"), ...known };

function load(settings: Readonly<Record<string, string>>) {
  const secrets = Object.keys(settings).filter((key) => schema[key]?.secret);
  pulumi.runtime.setAllConfig({ ...settingDefaults(schema), ...settings }, secrets);
  return loadSettings();
}

function errors(changes: Readonly<Record<string, string>>): string {
  try {
    load({ ...production, ...changes });
  } catch (error) {
    return (error as Error).message;
  }
  return assert.fail("no error");
}

describe("the stacks' files", () => {
  it("are right for production and for staging once what only a person knows is set", () => {
    assert.equal(load(production).environment, "production");
    assert.equal(load({ ...fileOf("staging"), ...known }).environment, "staging");
  });

  it("say which settings are missing, each with its command, and nothing else", () => {
    for (const stack of ["production", "staging"]) {
      const missing = () => load(fileOf(stack));
      assert.throws(missing, (error: Error) => {
        const keys = [...error.message.matchAll(/unity:(\w+) is not set; .*Mend: pulumi config set/g)].map(
          ([, key]) => key,
        );
        assert.deepEqual(keys, ["context", "image", "databaseUrl", "migrationDatabaseUrl"]);
        assert.equal(error.message.split("\n  - ").length, 5);
        return true;
      });
    }
  });

  it("put no secret, context or image into what is committed", () => {
    for (const stack of ["production", "staging", "dev"])
      for (const key of Object.keys(fileOf(stack))) {
        assert.ok(!schema[key]?.secret && key !== "unity:image", key);
        assert.ok(schema[key] !== undefined, `${key} is declared`);
      }
  });
});

describe("production", () => {
  const rejected: readonly [key: string, value: string, says: RegExp][] = [
    ["image", "registry.example/unity-backend:1.0", /unity:image is ".*:1\.0"; it must be named by its digest/],
    [
      "migrationImage",
      "registry.example/unity-backend:1.0",
      /unity:migrationImage is ".*"; it must be named by its digest/,
    ],
    ["roles", "one", /unity:roles is "one"; it must be two .* Mend: pulumi config set roles two$/],
    ["replicas", "1", /unity:replicas is "1"; it must be 2 or more .* Mend: pulumi config set replicas 2$/],
    ["promotedFrom", "", /unity:promotedFrom is not set; .* Mend: pulumi config set promotedFrom staging$/],
  ];
  for (const [key, value, says] of rejected) {
    it(`rejects ${key} ${JSON.stringify(value.split("/").at(-1))} with the fix`, () => {
      const message = errors({ [`unity:${key}`]: value });
      assert.match(message, says);
      assert.equal(message.split("\n  - ").length, 2, "nothing else");
    });
  }

  it("refuses an init container that migrates, which two roles don't allow either", () => {
    const message = errors({ "unity:initContainer": "upgrade" });
    assert.match(message, /initContainer is "upgrade"; it must be wait in production.* config set initContainer wait/);
  });

  it("refuses a connection that doesn't check whose database it is", () => {
    const message = errors({ "unity:databaseTls": "require", "unity:databaseCaSecret": "" });
    assert.match(message, /databaseTls is "require"; it must be verify-full .* config set databaseTls verify-full$/);
  });

  it("refuses a database of the stack's own", () => {
    const message = errors({ "unity:database": "owned", "unity:databasePassword": "p" });
    assert.match(
      message,
      /unity:database is "owned"; it must be external .* Mend: pulumi config set database external$/,
    );
  });

  it("rejects the PostgreSQL image of restore points by tag, unless it is unused", () => {
    assert.match(errors({ "unity:restorePoint": "true" }), /unity:postgresImage is "postgres:17"; .*@sha256:<digest>$/);
    const image = `postgres:17@${digest}`;
    assert.equal(
      load({ ...production, "unity:restorePoint": "true", "unity:postgresImage": image }).restorePoint?.image,
      image,
    );
  });

  it("names every fault at once", () => {
    assert.equal(
      errors({ "unity:image": "unity:1", "unity:replicas": "1", "unity:promotedFrom": "" }).split("\n  - ").length,
      4,
    );
  });

  it("is the only one that does: staging takes a tag and one replica", () => {
    load({ ...production, "unity:environment": "staging", "unity:image": "unity:1", "unity:replicas": "1" });
  });
});
