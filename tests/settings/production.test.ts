import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { projectRoot } from "../../src/paths.ts";
import { readSettingsSchema, settingDefaults, settingText } from "../../src/settings/declarations.ts";
import { loadSettings } from "../../src/settings/load-settings.ts";

const schema = readSettingsSchema(projectRoot);
const digest = `sha256:${"a".repeat(64)}`;

/** Returns the values of a stack's file in the project, as Pulumi passes them. */
function fileOf(stack: string): Record<string, string> {
  const { config } = parse(readFileSync(join(projectRoot, `Pulumi.${stack}.yaml`), "utf8"));
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, settingText(value)]));
}

/** Settings that no file in the project can contain. */
const operatorSettings = {
  "unity:context": "cluster",
  "unity:image": `registry.example/unity-backend@${digest}`,
  "unity:databaseUrl": "postgresql://u:p@h/d",
  "unity:migrationDatabaseUrl": "postgresql://m:p@h/d",
};
const production = { ...fileOf("production"), ...operatorSettings };

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
  it("are valid for production and staging once the operator's settings are added", () => {
    assert.equal(load(production).environment, "production");
    const staging = load({ ...fileOf("staging"), ...operatorSettings });
    assert.deepEqual([staging.environment, staging.createNamespace], ["staging", false]);
  });

  it("report the operator's settings as missing, each with its command", () => {
    for (const stack of ["production", "staging"]) {
      const missing = () => load(fileOf(stack));
      assert.throws(missing, (error: Error) => {
        const keys = [...error.message.matchAll(/unity:(\w+) is not set: .*Run: pulumi config set/g)].map(
          ([, key]) => key,
        );
        assert.deepEqual(keys, ["context", "image", "databaseUrl", "migrationDatabaseUrl"]);
        assert.equal(error.message.split("\n  - ").length, 5);
        return true;
      });
    }
  });

  it("contain no secret and no image", () => {
    for (const stack of ["production", "staging", "dev"])
      for (const key of Object.keys(fileOf(stack))) {
        assert.ok(!schema[key]?.secret && key !== "unity:image", key);
        assert.ok(schema[key] !== undefined, `${key} is declared`);
      }
  });
});

describe("production", () => {
  const rejected: readonly [key: string, value: string, message: RegExp][] = [
    [
      "image",
      "registry.example/unity-backend:1.0",
      /invalid unity:image ".*:1\.0": must be pinned by digest in production; tags are mutable\./,
    ],
    [
      "migrationImage",
      "registry.example/unity-backend:1.0",
      /invalid unity:migrationImage ".*": must be pinned by digest/,
    ],
    [
      "databaseRoles",
      "shared",
      /invalid unity:databaseRoles "shared": must be "separate" .* Run: pulumi config set databaseRoles separate$/,
    ],
    ["replicas", "1", /invalid unity:replicas "1": must be at least 2 .* Run: pulumi config set replicas 2$/],
    [
      "createNamespace",
      "true",
      /invalid unity:createNamespace "true": must be "false" in production; an account that .* config set createNamespace false$/,
    ],
    ["promotedFrom", "", /unity:promotedFrom is not set: .* Run: pulumi config set promotedFrom staging$/],
  ];
  for (const [key, value, message] of rejected) {
    it(`rejects ${key} ${JSON.stringify(value.split("/").at(-1))} with the fix`, () => {
      const error = errors({ [`unity:${key}`]: value });
      assert.match(error, message);
      assert.equal(error.split("\n  - ").length, 2, "no other error");
    });
  }

  it("rejects an init container that migrates", () => {
    const message = errors({ "unity:initContainer": "upgrade" });
    assert.match(
      message,
      /invalid unity:initContainer "upgrade": must be "wait" in production.* config set initContainer wait/,
    );
  });

  it("rejects a connection that doesn't verify the server's identity", () => {
    const message = errors({ "unity:databaseTls": "require", "unity:databaseCaSecret": "" });
    assert.match(
      message,
      /invalid unity:databaseTls "require": must be "verify-full" .* config set databaseTls verify-full$/,
    );
  });

  it("rejects an owned database", () => {
    const message = errors({ "unity:database": "owned", "unity:databasePassword": "p" });
    assert.match(
      message,
      /invalid unity:database "owned": must be "external" .* Run: pulumi config set database external$/,
    );
  });

  it("rejects the PostgreSQL image of restore points by tag, unless it is unused", () => {
    assert.match(
      errors({ "unity:restorePoint": "true" }),
      /invalid unity:postgresImage "postgres:17": .*@sha256:<digest>$/,
    );
    const image = `postgres:17@${digest}`;
    assert.equal(
      load({ ...production, "unity:restorePoint": "true", "unity:postgresImage": image }).restorePoint?.image,
      image,
    );
  });

  it("reports all errors together", () => {
    assert.equal(
      errors({ "unity:image": "unity:1", "unity:replicas": "1", "unity:promotedFrom": "" }).split("\n  - ").length,
      4,
    );
  });

  it("is stricter than staging, which accepts a tag and one replica", () => {
    load({ ...production, "unity:environment": "staging", "unity:image": "unity:1", "unity:replicas": "1" });
  });
});
