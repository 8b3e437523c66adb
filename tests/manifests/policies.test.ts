import assert from "node:assert/strict";
import { MigrationFleet } from "../../components/migration-fleet.ts";
import { podSpecsOf, type Resource } from "../../policy/resource.ts";
import { rules } from "../../policy/rules.ts";
import { workloadsWithoutWait } from "../../policy/waits.ts";
import { noAdoption } from "../../src/adoption/adoption.ts";
import { unity } from "../../src/manifests/app.ts";
import { restoreJobSpec } from "../../src/manifests/restore-points.ts";
import { migrationOptions } from "../../src/preflight/options.ts";
import { loadRelease } from "../../src/preflight/release.ts";
import { loadSettings } from "../../src/settings/load-settings.ts";
import type { Settings } from "../../src/settings/settings.ts";
import { deploy } from "../../stack.ts";
import { type Registration, record } from "../support/recorder.ts";

const digest = `sha256:${"a".repeat(64)}`;
const image = `registry.example/unity-backend@${digest}`;
const postgresImage = `postgres@${digest}`;
const common = { "unity:context": "lab", "unity:image": image, "unity:postgresImage": postgresImage };
const owned = { ...common, "unity:databasePassword": "hunter2" };
const external = { ...common, "unity:database": "external", "unity:databaseUrl": "postgresql://u:hunter2@db/unity" };
const separateRoles = { "unity:databaseRoles": "separate", "unity:initContainer": "wait" };
const restorePoint = { "unity:restorePoint": "true" };
const production = {
  ...external,
  ...separateRoles,
  "unity:environment": "production",
  "unity:migrationDatabaseUrl": "postgresql://m:hunter2@db/unity",
  "unity:databaseTls": "verify-full",
  "unity:databaseCaSecret": "unity-database-ca",
  "unity:replicas": "2",
  "unity:promotedFrom": "staging",
};

const modes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "an owned database": owned,
  "an owned database with separate roles": { ...owned, ...separateRoles, "unity:applicationPassword": "hunter3" },
  "an owned database with restore points": { ...owned, ...restorePoint },
  "an external database": external,
  "existing Secrets": { ...common, "unity:databaseSecret": "mine" },
  "no network policies": { ...owned, "unity:networkPolicies": "false" },
  "a downgrade": {
    ...owned,
    ...restorePoint,
    "unity:allowDowngrade": "true",
    "unity:targetRevision": "8f3d9e2a1c45",
    "unity:migrationImage": image,
  },
  "settings for production": production,
  "settings for production and restore points": { ...production, ...restorePoint },
};

/** Records the program with a stack's settings, and a fleet of the same release. */
async function declare(configuration: Readonly<Record<string, string>>) {
  const { registrations, result } = await record(configuration, () => {
    const settings = loadSettings();
    const release = loadRelease(settings);
    const job = { name: "job", attempt: 1, action: "run", reason: "" } as const;
    const planned = { ...job, adoption: noAdoption, settings };
    deploy(release, planned);
    const { context, namespace } = settings;
    const tenants = ["acme", "beta"].map((name) => ({ name, secretName: `database-${name}` }));
    new MigrationFleet("fleet", { ...migrationOptions(settings, release), context, namespace, tenants });
    return settings;
  });
  return { registrations, settings: result };
}

/** Returns the Job that restores a dump, which `pulumi-alembic restore` creates. */
function restoreJob({ databaseSecrets, databaseTls: tls, imagePullPolicy }: Settings): Resource {
  const options = {
    app: unity,
    image: postgresImage,
    imagePullPolicy,
    secretName: databaseSecrets.migrations,
    tls,
    timeoutSeconds: 60,
  };
  const command = { verb: "restore", restorePoint: "job" } as const;
  return {
    type: "kubernetes:batch/v1:Job",
    name: "restore",
    props: { spec: restoreJobSpec(command, "runner", options) },
  };
}

/** Returns a registration as the pack gets it. */
function resourceOf({ type, name, urn, inputs, dependencies }: Registration) {
  return { type, name, urn, props: inputs, dependencies: dependencies.map((each) => ({ urn: each })) };
}

for (const [mode, configuration] of Object.entries(modes)) {
  describe(`objects of the program with ${mode}`, () => {
    let stack: ReturnType<typeof resourceOf>[];
    let settings: Settings;

    before(async () => {
      const declared = await declare(configuration);
      stack = declared.registrations.map(resourceOf);
      settings = declared.settings;
    });

    it("comply with every rule of the policy pack", () => {
      for (const resource of [...stack, restoreJob(settings)]) {
        if (/:(Job|Deployment)$/.test(resource.type)) assert.equal(podSpecsOf(resource).length, 1, resource.name);
        for (const rule of rules) assert.deepEqual(rule.violations(resource), [], `${rule.name}: ${resource.name}`);
      }
    });

    it("include a wait for each workload that Pulumi doesn't wait for", () => {
      assert.deepEqual(workloadsWithoutWait(stack), []);
      const withoutCommands = stack.filter(({ type }) => type !== "command:local:Command");
      const awaited = workloadsWithoutWait(withoutCommands).map(({ name }) => name.replace(/-[0-9a-f]{10}$/, ""));
      const fleet = ["fleet-unity-db-migrate-acme", "fleet-unity-db-migrate-beta"];
      const own = settings.database.kind === "owned" ? ["postgres"] : [];
      assert.deepEqual(awaited.sort(), ["backend", ...fleet, "migration-job", ...own]);
    });
  });
}
