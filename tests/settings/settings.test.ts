import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { projectRoot } from "../../src/paths.ts";
import { declaredSettings } from "../../src/settings/declared.ts";
import { readSettingsSchema, settingDefaults } from "../../src/settings/schema.ts";
import { loadSettings, type Settings } from "../../src/settings/settings.ts";

const schema = readSettingsSchema(projectRoot);

const least = {
  "unity:context": "kind-kind",
  "unity:image": "registry.example/unity-backend:1.0",
  "unity:databasePassword": "secret",
};

function load(configuration: Record<string, string>): Settings {
  const secrets = Object.keys(configuration).filter((key) => schema[key]?.secret);
  pulumi.runtime.setAllConfig({ ...settingDefaults(schema), ...configuration }, secrets);
  return loadSettings();
}

function errors(configuration: Record<string, string>): string {
  try {
    load({ ...least, ...configuration });
  } catch (error) {
    assert.ok(pulumi.RunError.isInstance(error), "a user's mistake is shown without a stack trace");
    return error.message;
  }
  return assert.fail("no error");
}

describe("loadSettings", () => {
  it("needs a context, an image and a password, and has a default for all else", () => {
    const { database, ...settings } = load(least);
    assert.deepEqual(settings, {
      environment: "development",
      context: "kind-kind",
      namespace: "unity",
      image: "registry.example/unity-backend:1.0",
      imagePullPolicy: "IfNotPresent",
      replicas: 1,
      initContainer: "upgrade",
      rolloutTimeoutSeconds: 120,
      timeouts: { lockTimeoutSeconds: 5, statementTimeoutSeconds: 300, deadlineSeconds: 600, awaitTimeoutSeconds: 660 },
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

  it("takes revisions to tolerate with commas between them", () => {
    assert.deepEqual(load({ ...least, "unity:toleratedRevisions": " a1 , b2" }).toleratedRevisions, ["a1", "b2"]);
  });

  it("takes approvals and the hash of a plan", () => {
    const approval = { revision: "a", rule: "ban-drop-table", reason: "unused since 1.2" };
    const settings = load({
      ...least,
      "unity:approvals": JSON.stringify([approval]),
      "unity:planHash": "0123456789abcdef",
    });
    assert.deepEqual([settings.approvals, settings.planHash], [[approval], "0123456789abcdef"]);
  });

  it("takes a database that lives elsewhere by its URL alone", () => {
    const { "unity:databasePassword": _, ...rest } = least;
    const { database } = load({ ...rest, "unity:database": "external", "unity:databaseUrl": "postgresql://u:p@h/d" });
    assert.ok(database.kind === "external");
    assert.deepEqual(database.ports, [5432]);
  });

  const two = { "unity:roles": "two", "unity:initContainer": "wait" };
  const external = { "unity:database": "external", "unity:databasePorts": "5432,6432" };

  it("takes two roles: by passwords for its own database, by URLs for an external one", () => {
    const owned = load({ ...least, ...two, "unity:applicationPassword": "another" });
    assert.equal(owned.applicationRole, "homelab_app");
    assert.equal(owned.databaseSecrets.application, "unity-database-homelab-app");
    const urls = {
      "unity:databaseUrl": "postgresql://app:p@h/d",
      "unity:migrationDatabaseUrl": "postgresql://u:p@h/d",
    };
    const elsewhere = load({ ...least, ...two, ...external, ...urls, "unity:applicationRole": "app" });
    assert.ok(elsewhere.database.kind === "external");
    assert.deepEqual([elsewhere.applicationRole, elsewhere.database.ports], ["app", [5432, 6432]]);
  });

  it("takes Secrets that others made, and then no password or URL", () => {
    const { "unity:databasePassword": _, ...rest } = least;
    for (const database of ["owned", "external"]) {
      const one = load({ ...rest, "unity:database": database, "unity:databaseSecret": "mine" });
      assert.deepEqual(one.databaseSecrets, { application: "mine", migrations: "mine", existing: true });
      assert.equal(one.database.credentials, undefined);
      const both = { "unity:databaseSecret": "mine", "unity:migrationSecret": "my-migrations" };
      const { databaseSecrets } = load({ ...rest, ...two, ...both, "unity:database": database });
      assert.deepEqual(databaseSecrets, { application: "mine", migrations: "my-migrations", existing: true });
    }
  });

  it("takes how a database elsewhere is reached", () => {
    const tls = { "unity:databaseTls": "verify-full", "unity:databaseCaSecret": "ca" };
    const { databaseTls } = load({ ...least, ...external, ...tls, "unity:databaseUrl": "postgresql://u:p@h/d" });
    assert.deepEqual(databaseTls, { mode: "verify-full", caSecretName: "ca" });
  });

  const together: [what: string, values: Record<string, string>, message: RegExp][] = [
    [
      "two roles whose pods would migrate",
      { "unity:roles": "two", "unity:applicationPassword": "p" },
      /unity:initContainer is "upgrade"; it must be wait where roles is two\. Mend: pulumi config set initContainer wait/,
    ],
    [
      "two roles with one password",
      two,
      /unity:applicationPassword is not set; .*config set --secret applicationPassword/,
    ],
    [
      "two roles with one URL",
      { ...two, ...external, "unity:databaseUrl": "postgresql://u:p@h/d" },
      /unity:migrationDatabaseUrl is not set; .* where roles is two/,
    ],
    [
      "two roles that are one",
      { ...two, "unity:applicationPassword": "p", "unity:applicationRole": "homelab_user" },
      /unity:applicationRole is "homelab_user"; it must be another role than the one that migrates/,
    ],
    [
      "a role's name that needs quotes",
      { "unity:applicationRole": "App" },
      /unity:applicationRole is "App"; it must be a role's name/,
    ],
    [
      "two roles with one Secret",
      { ...two, "unity:databaseSecret": "mine" },
      /unity:migrationSecret is not set; it must be another/,
    ],
    [
      "two roles with one Secret twice",
      { ...two, "unity:databaseSecret": "mine", "unity:migrationSecret": "mine" },
      /unity:migrationSecret is "mine"; it must be another Secret than databaseSecret/,
    ],
    [
      "two Secrets of one role",
      { "unity:databaseSecret": "mine", "unity:migrationSecret": "other" },
      /unity:roles is "one"; it must be two where migrationSecret is set/,
    ],
    [
      "a migrations' Secret alone",
      { "unity:migrationSecret": "other" },
      /unity:databaseSecret is not set; it must be set where/,
    ],
    [
      "a Secret that the program would remove",
      { "unity:databaseSecret": "unity-database" },
      /unity:databaseSecret is "unity-database"; it must be another name than those of the Secrets that the program makes/,
    ],
    [
      "encryption of a database that has none",
      { "unity:databaseTls": "require" },
      /unity:databaseTls is "require"; it must be prefer or disable for an owned database/,
    ],
    [
      "a certificate that nothing verifies",
      { ...external, "unity:databaseUrl": "postgresql://u:p@h/d", "unity:databaseTls": "verify-full" },
      /unity:databaseCaSecret is not set; it must be a Secret with the key ca\.crt where databaseTls is verify-full/,
    ],
    [
      "an authority without verification",
      { ...external, "unity:databaseUrl": "postgresql://u:p@h/d", "unity:databaseCaSecret": "ca" },
      /unity:databaseTls is "prefer"; it must be verify-full where databaseCaSecret is set/,
    ],
    [
      "ports that are none",
      { "unity:database": "external", "unity:databaseUrl": "postgresql://u:p@h/d", "unity:databasePorts": "5432,x" },
      /unity:databasePorts is "5432,x"; it must be TCP ports with commas between them/,
    ],
  ];
  for (const [what, values, message] of together) {
    it(`refuses ${what}`, () => assert.match(errors(values), message));
  }

  it("takes settings for a downgrade: a target, the migration image, a restore point", () => {
    const goingBack = {
      "unity:targetRevision": "a1",
      "unity:migrationImage": "registry.example/unity-backend:2.0",
      "unity:allowDowngrade": "true",
      "unity:restorePoint": "true",
      "unity:restorePointStorage": "5Gi",
    };
    const { targetRevision, migrationImage, allowDowngrade, restorePoint } = load({ ...least, ...goingBack });
    assert.deepEqual([targetRevision, migrationImage], ["a1", "registry.example/unity-backend:2.0"]);
    assert.deepEqual([allowDowngrade, restorePoint], [true, { image: "postgres:17", storage: "5Gi" }]);
  });

  const bad: [string, string, RegExp][] = [
    ["unity:environment", "prod", /unity:environment is "prod"; it must be one of development, staging, production/],
    ["unity:context", " ", /unity:context is " "; it must be a context of your kubeconfig/],
    ["unity:namespace", "Unity!", /unity:namespace is "Unity!"; it must be .*pulumi config set namespace unity/],
    ["unity:image", "unity-backend", /unity:image is "unity-backend"; it must be .*with a tag or a digest/],
    ["unity:replicas", "0", /unity:replicas is "0"; it must be a whole number from 1 to 100/],
    ["unity:toleratedRevisions", "a,,b", /toleratedRevisions is "a,,b"; it must be revision ids with commas/],
    [
      "unity:approvals",
      "yes",
      /approvals\[0\]\.revision is "yes"; it must be .*--path 'approvals\[0\]\.revision' '<id>'/,
    ],
    [
      "unity:approvals",
      '[{"revision":"a"}]',
      /unity:approvals\[0\]\.rule is not set; .*config set --path 'approvals\[0\]\.rule' 'ban-drop-column'/,
    ],
    ["unity:planHash", "abc", /unity:planHash is "abc"; it must be the hash of a plan, 16 hexadecimal digits/],
    ["unity:promotedFrom", "a b", /unity:promotedFrom is "a b"; it must be a stack, or organization\/project\/stack/],
    ["unity:replicas", "two", /unity:replicas is "two"/],
    ["unity:initContainer", "both", /unity:initContainer is "both"; it must be one of upgrade, wait/],
    ["unity:allowDowngrade", "true", /unity:restorePoint is "false"; it must be true where allowDowngrade is/],
    ["unity:allowDowngrade", "yes", /unity:allowDowngrade is "yes"; it must be one of false, true/],
    ["unity:migrationImage", "unity-backend", /unity:migrationImage is "unity-backend"; it must be the image/],
    ["unity:database", "shared", /it must be one of owned, external/],
    ["unity:databaseStorage", "much", /unity:databaseStorage is "much"; it must be a size such as 1Gi/],
    [
      "unity:lockTimeoutSeconds",
      "300",
      /unity:statementTimeoutSeconds is 300; it must be more than lockTimeoutSeconds/,
    ],
    ["unity:deadlineSeconds", "700", /unity:awaitTimeoutSeconds is 660; it must be more than deadlineSeconds.*1400/],
  ];
  for (const [key, value, message] of bad) {
    it(`rejects ${key} ${JSON.stringify(value)} with allowed values and fix`, () => {
      assert.match(errors({ [key]: value }), message);
    });
  }

  it("refuses a setting that it doesn't know, and names the one that is likely meant", () => {
    assert.match(
      errors({ "unity:restorepoint": "true" }),
      /unity:restorepoint is no setting; is restorePoint, or .* meant\?/,
    );
  });
  it("names every fault at once", () => {
    const message = errors({ "unity:namespace": "_", "unity:replicas": "-1", "unity:imagePullPolicy": "Sometimes" });
    assert.equal(message.split("\n  - ").length, 4);
  });

  it("says what to set when nothing is set", () => {
    pulumi.runtime.setAllConfig({}, []);
    assert.throws(() => loadSettings(), /context is not set.*image is not set.*--secret databasePassword/s);
  });

  it("refuses a secret that is kept in plain, without repeating it", () => {
    pulumi.runtime.setAllConfig({ ...settingDefaults(schema), ...least, "unity:databasePassword": "hunter2" }, []);
    assert.throws(
      () => loadSettings(),
      (error: Error) =>
        /databasePassword is "\[in plain\]"; .*config set --secret databasePassword/.test(error.message) &&
        !error.message.includes("hunter2"),
    );
  });

  it("finds the settings that Pulumi.yaml declares without its parser", () => {
    assert.deepEqual(declaredSettings(projectRoot), Object.keys(schema));
  });

  it("reads exactly the settings that Pulumi.yaml declares", () => {
    const read = new Set<string>();
    const everything = { ...least, "unity:restorePoint": "true", "unity:allowDowngrade": "true" };
    for (const database of ["owned", "external"]) {
      const chosen = { "unity:database": database, "unity:roles": "two" };
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
        // Some of these values are faults: what counts is that they were read.
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
