import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { projectRoot } from "../../src/paths.ts";
import { readSettingsSchema, settingDefaults } from "../../src/settings/declarations.ts";
import { loadSettings } from "../../src/settings/load-settings.ts";
import type { Settings } from "../../src/settings/settings.ts";

const schema = readSettingsSchema(projectRoot);

const required = {
  "unity:context": "kind-kind",
  "unity:image": "registry.example/unity-backend:1.0",
  "unity:databasePassword": "secret",
};

function load(configuration: Record<string, string>): Settings {
  const secrets = Object.keys(configuration).filter((key) => schema[key]?.secret);
  pulumi.runtime.setAllConfig({ ...settingDefaults(schema), ...configuration }, secrets);
  return loadSettings("unity/dev");
}

function errors(configuration: Record<string, string>): string {
  try {
    load({ ...required, ...configuration });
  } catch (error) {
    assert.ok(pulumi.RunError.isInstance(error), "an error of the user has no stack trace");
    return error.message;
  }
  return assert.fail("no error");
}

describe("loadSettings", () => {
  it("requires a context, an image, and a password, and has defaults for the others", () => {
    const { database, ...settings } = load(required);
    assert.deepEqual(JSON.parse(JSON.stringify(settings.pods)), { backend: {}, gate: {}, migration: {} });
    assert.deepEqual(settings, {
      environment: "development",
      owner: "unity/dev",
      adoptFrom: undefined,
      adoptWithout: [],
      driftIgnore: [],
      context: "kind-kind",
      namespace: "unity",
      createNamespace: true,
      clusterTimeoutSeconds: 60,
      image: "registry.example/unity-backend:1.0",
      imagePullPolicy: "IfNotPresent",
      replicas: 1,
      initContainer: "upgrade",
      rolloutTimeoutSeconds: 120,
      pods: settings.pods,
      podSecurityStandard: "restricted",
      timeouts: {
        lockTimeoutSeconds: 5,
        statementTimeoutSeconds: 300,
        deadlineSeconds: 600,
        awaitTimeoutSeconds: 660,
        startTimeoutSeconds: 600,
        restorePointTimeoutSeconds: 3600,
      },
      migrationImage: undefined,
      namedRole: "homelab_app",
      targetRevision: undefined,
      allowDowngrade: false,
      restorePoint: undefined,
      toleratedRevisions: [],
      approvals: [],
      planHash: undefined,
      promotedFrom: undefined,
      applicationRole: undefined,
      databaseSecrets: { application: "unity-database", migrations: "unity-database", existing: false },
      databaseTls: undefined,
      networkPolicies: true,
    });
    assert.ok(database.kind === "owned");
    assert.deepEqual([database.image, database.storage], ["postgres:17", "1Gi"]);
  });

  it("reads a comma-separated list of tolerated revisions", () => {
    assert.deepEqual(load({ ...required, "unity:toleratedRevisions": " a1 , b2" }).toleratedRevisions, ["a1", "b2"]);
  });

  it("reads approvals and the plan hash", () => {
    const approval = { revision: "a", rule: "ban-drop-table", reason: "unused since 1.2" };
    const settings = load({
      ...required,
      "unity:approvals": JSON.stringify([approval]),
      "unity:planHash": "0123456789abcdef",
    });
    assert.deepEqual([settings.approvals, settings.planHash], [[approval], "0123456789abcdef"]);
  });

  it("requires only the URL of an external database", () => {
    const { "unity:databasePassword": _, ...rest } = required;
    const { database } = load({ ...rest, "unity:database": "external", "unity:databaseUrl": "postgresql://u:p@h/d" });
    assert.ok(database.kind === "external");
    assert.deepEqual(database.ports, [5432]);
  });

  const separate = { "unity:databaseRoles": "separate", "unity:initContainer": "wait" };
  const external = { "unity:database": "external", "unity:databasePorts": "5432,6432" };

  it("reads separate roles: passwords of an owned database, URLs of an external one", () => {
    const owned = load({ ...required, ...separate, "unity:applicationPassword": "another" });
    assert.equal(owned.applicationRole, "homelab_app");
    assert.equal(owned.databaseSecrets.application, "unity-database-homelab-app");
    const urls = {
      "unity:databaseUrl": "postgresql://app:p@h/d",
      "unity:migrationDatabaseUrl": "postgresql://u:p@h/d",
    };
    const urlsOnly = load({ ...required, ...separate, ...external, ...urls, "unity:applicationRole": "app" });
    assert.ok(urlsOnly.database.kind === "external");
    assert.deepEqual([urlsOnly.applicationRole, urlsOnly.database.ports], ["app", [5432, 6432]]);
  });

  it("reads existing Secrets in place of passwords and URLs", () => {
    const { "unity:databasePassword": _, ...rest } = required;
    for (const database of ["owned", "external"]) {
      const one = load({ ...rest, "unity:database": database, "unity:databaseSecret": "mine" });
      assert.deepEqual(one.databaseSecrets, { application: "mine", migrations: "mine", existing: true });
      assert.equal(one.database.credentials, undefined);
      const both = { "unity:databaseSecret": "mine", "unity:migrationSecret": "my-migrations" };
      const { databaseSecrets } = load({ ...rest, ...separate, ...both, "unity:database": database });
      assert.deepEqual(databaseSecrets, { application: "mine", migrations: "my-migrations", existing: true });
    }
  });

  it("reads the TLS mode and the CA of an external database", () => {
    const tls = { "unity:databaseTls": "verify-full", "unity:databaseCaSecret": "ca" };
    const { databaseTls } = load({ ...required, ...external, ...tls, "unity:databaseUrl": "postgresql://u:p@h/d" });
    assert.deepEqual(databaseTls, { mode: "verify-full", caSecretName: "ca" });
  });

  const conflicts: [what: string, values: Record<string, string>, message: RegExp][] = [
    [
      "separate roles with an init container that migrates",
      { "unity:databaseRoles": "separate", "unity:applicationPassword": "p" },
      /invalid unity:initContainer "upgrade": must be "wait" if databaseRoles is "separate"\. Run: pulumi config set initContainer wait/,
    ],
    [
      "separate roles with one password",
      separate,
      /unity:applicationPassword is not set: .*config set --secret applicationPassword/,
    ],
    [
      "separate roles with one URL",
      { ...separate, ...external, "unity:databaseUrl": "postgresql://u:p@h/d" },
      /unity:migrationDatabaseUrl is not set: .* if databaseRoles is "separate"/,
    ],
    [
      "separate roles with the same name",
      { ...separate, "unity:applicationPassword": "p", "unity:applicationRole": "homelab_user" },
      /invalid unity:applicationRole "homelab_user": must be a role other than homelab_user/,
    ],
    [
      "a role name that needs quotes",
      { "unity:applicationRole": "App" },
      /invalid unity:applicationRole "App": must be a role name/,
    ],
    [
      "separate roles with one Secret",
      { ...separate, "unity:databaseSecret": "mine" },
      /unity:migrationSecret is not set: must be a Secret other than databaseSecret/,
    ],
    [
      "separate roles with the same Secret twice",
      { ...separate, "unity:databaseSecret": "mine", "unity:migrationSecret": "mine" },
      /invalid unity:migrationSecret "mine": must be a Secret other than databaseSecret/,
    ],
    [
      "two Secrets for a shared role",
      { "unity:databaseSecret": "mine", "unity:migrationSecret": "other" },
      /invalid unity:databaseRoles "shared": must be "separate" if migrationSecret is set/,
    ],
    [
      "a migration Secret alone",
      { "unity:migrationSecret": "other" },
      /unity:databaseSecret is not set: must be set if migrationSecret is set/,
    ],
    [
      "a Secret that the program would delete",
      { "unity:databaseSecret": "unity-database" },
      /invalid unity:databaseSecret "unity-database": must be a name that the program doesn't use for its own Secrets/,
    ],
    [
      "TLS for an owned database",
      { "unity:databaseTls": "require" },
      /invalid unity:databaseTls "require": must be prefer or disable for an owned database/,
    ],
    [
      "verify-full without a CA",
      { ...external, "unity:databaseUrl": "postgresql://u:p@h/d", "unity:databaseTls": "verify-full" },
      /unity:databaseCaSecret is not set: must be a Secret with the key ca\.crt if databaseTls is "verify-full"/,
    ],
    [
      "a CA without verify-full",
      { ...external, "unity:databaseUrl": "postgresql://u:p@h/d", "unity:databaseCaSecret": "ca" },
      /invalid unity:databaseTls "prefer": must be "verify-full" if databaseCaSecret is set/,
    ],
    [
      "invalid ports",
      { "unity:database": "external", "unity:databaseUrl": "postgresql://u:p@h/d", "unity:databasePorts": "5432,x" },
      /invalid unity:databasePorts "5432,x": must be comma-separated TCP ports/,
    ],
  ];
  for (const [what, values, message] of conflicts) {
    it(`rejects ${what}`, () => assert.match(errors(values), message));
  }

  it("takes settings for a downgrade: a target, the migration image, a restore point", () => {
    const downgrade = {
      "unity:targetRevision": "a1",
      "unity:migrationImage": "registry.example/unity-backend:2.0",
      "unity:allowDowngrade": "true",
      "unity:restorePoint": "true",
      "unity:restorePointStorage": "5Gi",
    };
    const { targetRevision, migrationImage, allowDowngrade, restorePoint } = load({ ...required, ...downgrade });
    assert.deepEqual([targetRevision, migrationImage], ["a1", "registry.example/unity-backend:2.0"]);
    assert.deepEqual([allowDowngrade, restorePoint], [true, { image: "postgres:17", storage: "5Gi" }]);
  });

  it("uses the current context only if it is asked to", () => {
    const { "unity:context": _, ...others } = required;
    assert.equal(load({ ...others, "unity:useCurrentContext": "true" }).context, undefined);
  });

  const bad: [string, string, RegExp][] = [
    ["unity:environment", "prod", /invalid unity:environment "prod": must be one of development, staging, production/],
    ["unity:context", " ", /invalid unity:context " ": must be a kubeconfig context/],
    [
      "unity:useCurrentContext",
      "true",
      /useCurrentContext "true": must be false if unity:context is set\. Run: pulumi config set useCurrentContext false/,
    ],
    ["unity:namespace", "Unity!", /invalid unity:namespace "Unity!": must be .*pulumi config set namespace unity/],
    [
      "unity:image",
      "unity-backend",
      /invalid unity:image "unity-backend": must be an image reference with a tag or a digest/,
    ],
    [
      "unity:replicas",
      "0",
      /invalid unity:replicas "0": must be an integer from 1 to 100\. Run: pulumi config set replicas <number>$/,
    ],
    [
      "unity:toleratedRevisions",
      "a,,b",
      /invalid unity:toleratedRevisions "a,,b": must be comma-separated revision IDs/,
    ],
    [
      "unity:approvals",
      "yes",
      /invalid unity:approvals\[0\]\.revision "yes": must be .*--path 'approvals\[0\]\.revision' '<id>'/,
    ],
    [
      "unity:approvals",
      '[{"revision":"a"}]',
      /unity:approvals\[0\]\.rule is not set: .*config set --path 'approvals\[0\]\.rule' 'ban-drop-column'/,
    ],
    [
      "unity:approvals",
      '[{"rules":"x"}]',
      /unknown property unity:approvals\[0\]\.rules; allowed: .*config rm --path 'approvals\[0\]\.rules'/,
    ],
    ["unity:planHash", "abc", /invalid unity:planHash "abc": must be a plan hash, as printed by pulumi preview/],
    ["unity:promotedFrom", "a b", /invalid unity:promotedFrom "a b": must be a stack or organization\/project\/stack/],
    ["unity:clusterTimeoutSeconds", "5", /invalid unity:clusterTimeoutSeconds "5": must be an integer from 10 to 3600/],
    ["unity:createNamespace", "maybe", /invalid unity:createNamespace "maybe": must be one of false, true/],
    ["unity:replicas", "two", /invalid unity:replicas "two": must be an integer/],
    ["unity:initContainer", "both", /invalid unity:initContainer "both": must be one of upgrade, wait/],
    ["unity:allowDowngrade", "true", /invalid unity:restorePoint "false": must be true if allowDowngrade is true/],
    ["unity:allowDowngrade", "yes", /invalid unity:allowDowngrade "yes": must be one of false, true/],
    [
      "unity:migrationImage",
      "unity-backend",
      /invalid unity:migrationImage "unity-backend": must be an image reference/,
    ],
    ["unity:database", "shared", /invalid unity:database "shared": must be one of owned, external/],
    ["unity:databaseStorage", "much", /invalid unity:databaseStorage "much": must be a size such as 1Gi/],
    [
      "unity:lockTimeoutSeconds",
      "300",
      /invalid unity:statementTimeoutSeconds 300: must be greater than lockTimeoutSeconds \(300\)/,
    ],
    [
      "unity:deadlineSeconds",
      "700",
      /invalid unity:awaitTimeoutSeconds 660: must be greater than deadlineSeconds \(700\).*1400/,
    ],
    ["unity:startTimeoutSeconds", "0", /invalid unity:startTimeoutSeconds "0": must be an integer from 1 to 86400/],
    [
      "unity:restorePointTimeoutSeconds",
      "0",
      /invalid unity:restorePointTimeoutSeconds "0": must be an integer from 1 to 86400/,
    ],
  ];
  for (const [key, value, message] of bad) {
    it(`rejects ${key} ${JSON.stringify(value)} with allowed values and fix`, () => {
      assert.match(errors({ [key]: value }), message);
    });
  }

  it("rejects an unknown setting, and suggests the one that was likely meant", () => {
    assert.match(
      errors({ "unity:restorepoint": "true" }),
      /^ {2}- unknown setting unity:restorepoint; did you mean restorePoint\? Run: pulumi config rm restorepoint$/m,
    );
  });

  it("suggests settings that only another mode reads", () => {
    assert.match(errors({ "unity:databaseUrI": "u" }), /unknown setting unity:databaseUrI; did you mean databaseUrl\?/);
  });

  it("reports all errors together", () => {
    const message = errors({ "unity:namespace": "_", "unity:replicas": "-1", "unity:imagePullPolicy": "Sometimes" });
    assert.equal(message.split("\n  - ").length, 4);
  });

  it("lists what to set if nothing is set", () => {
    pulumi.runtime.setAllConfig({}, []);
    assert.throws(
      () => loadSettings(),
      /invalid stack configuration:.*context is not set.*image is not set.*--secret databasePassword/s,
    );
  });

  it("rejects an unencrypted secret without repeating it", () => {
    pulumi.runtime.setAllConfig({ ...settingDefaults(schema), ...required, "unity:databasePassword": "hunter2" }, []);
    assert.throws(
      () => loadSettings(),
      (error: Error) =>
        /unity:databasePassword is not encrypted\. Run: pulumi config set --secret databasePassword/.test(
          error.message,
        ) && !error.message.includes("hunter2"),
    );
  });

  it("reads exactly the settings that Pulumi.yaml declares", () => {
    const read = new Set<string>();
    const everything = { ...required, "unity:restorePoint": "true", "unity:allowDowngrade": "true" };
    for (const database of ["owned", "external"]) {
      const chosen = { "unity:database": database, "unity:databaseRoles": "separate" };
      const values: Record<string, string> = { ...settingDefaults(schema), ...everything, ...chosen };
      pulumi.runtime.setAllConfig(values, []);
      const { getConfig } = pulumi.runtime;
      const listen = (key: string) => {
        read.add(key);
        return getConfig(key);
      };
      Object.assign(pulumi.runtime, { getConfig: listen });
      try {
        loadSettings();
      } catch {
        // Some of these values are invalid: only the reads count.
      } finally {
        Object.assign(pulumi.runtime, { getConfig });
      }
    }
    assert.deepEqual([...read].sort(), Object.keys(schema).sort());
  });

  it("never repeats a secret", () => {
    assert.ok(!errors({ "unity:replicas": "0", "unity:databasePassword": "hunter2" }).includes("hunter2"));
  });
});
