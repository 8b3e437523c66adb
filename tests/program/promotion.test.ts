import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { runProgram } from "../../program.ts";
import { checkNames } from "../../src/checks/names.ts";
import { type CheckResult, type CheckTarget, formatVerification } from "../../src/checks/result.ts";
import { loadRelease } from "../../src/preflight/release.ts";
import { declareRelease, identify, type ReleaseRecord } from "../../src/promotion/record.ts";
import { databaseAt, fakeKubectl } from "../support/fake-kubectl.ts";
import { find, record, type StackOutputs, whenKnown } from "../support/recorder.ts";

const head = "add_plugin_execution";
const image = `registry.example/unity-backend@sha256:${"a".repeat(64)}`;
const production = {
  "unity:environment": "production",
  "unity:context": "production",
  "unity:image": image,
  "unity:database": "external",
  "unity:databaseUrl": "postgresql://u:hunter2@db/unity",
  "unity:migrationDatabaseUrl": "postgresql://m:hunter2@db/unity",
  "unity:databaseRoles": "separate",
  "unity:databaseTls": "verify-full",
  "unity:databaseCaSecret": "unity-database-ca",
  "unity:initContainer": "wait",
  "unity:replicas": "2",
  "unity:promotedFrom": "staging",
};
const { environment: _, ...staging } = {
  environment: "",
  "unity:environment": "staging",
  "unity:context": "staging",
  "unity:image": image,
  "unity:databasePassword": "hunter2",
};
const release = loadRelease({ targetRevision: undefined, migrationImage: undefined });
const staged: ReleaseRecord = {
  version: 2,
  environment: "staging",
  checks: checkNames.length,
  imageName: "registry.example/unity-backend",
  migrationImageName: "registry.example/unity-backend",
  ...identify({ ...release, image, migrationImage: undefined }),
};

/** The existing Secret with the database's certificate. */
const certificate = { secret: { output: "1\nca.crt" } };

async function run(settings: Record<string, string>, stacks: StackOutputs, row = head) {
  using fake = fakeKubectl({ ...certificate, backend: databaseAt([row]) });
  return await record(settings, () => runProgram(fake.kubectl), stacks);
}

const stagingHas = (...releases: readonly unknown[]): StackOutputs => ({ "organization/unity/staging": { releases } });

async function rejection(settings: Record<string, string>, stacks: StackOutputs, row = head): Promise<string> {
  let message = "";
  using fake = fakeKubectl({ ...certificate, backend: databaseAt([row]) });
  const rejected = () =>
    assert.rejects(runProgram(fake.kubectl), (error: unknown) => {
      assert.ok(pulumi.RunError.isInstance(error), "shown without a stack trace");
      message = error.message;
      return true;
    });
  const { registrations } = await record(settings, rejected, stacks);
  assert.deepEqual(registrations, []);
  return message;
}

describe("the program in production", () => {
  it("deploys what has succeeded in staging, also if staging has gone on since", async () => {
    for (const releases of [[staged], [{ ...staged, head: "later" }, staged]]) {
      const { registrations } = await run(production, stagingHas(...releases));
      find(registrations, "kubernetes:apps/v1:Deployment", "backend");
    }
  });

  it("finds a stack by its whole name, too", async () => {
    const settings = { ...production, "unity:promotedFrom": "other/unity-2/staging" };
    const { registrations } = await run(settings, { "other/unity-2/staging": { releases: [staged] } });
    find(registrations, "kubernetes:apps/v1:Deployment", "backend");
  });

  const rejected: readonly [what: string, stacks: StackOutputs, says: RegExp][] = [
    ["before staging has recorded anything", stagingHas(), /stack staging has no verified release/],
    [
      "records of an earlier version",
      stagingHas({ ...staged, version: 1 }),
      /no verified release; 1 records of an earlier version are ignored, `pulumi up` renews them\n.*up --stack staging/,
    ],
    [
      "what was only deployed for development",
      stagingHas({ ...staged, environment: "development" }),
      /stack staging has environment development/,
    ],
    ...(["head", "chain", "sql", "runner", "image", "migrationImage"] as const).map(
      (key) =>
        [
          `another ${key}`,
          stagingHas({ ...staged, [key]: "other" }),
          new RegExp(`- .*: ${String(staged[key]).slice(0, 16)}.* \\(newest in staging: other\\)`),
        ] as [string, StackOutputs, RegExp],
    ),
  ];
  for (const [what, stacks, says] of rejected) {
    it(`refuses ${what}, before it declares anything`, async () => {
      const message = await rejection(production, stacks);
      assert.match(message, /^release not verified in staging; no changes were made:\n/);
      assert.match(message, says);
      assert.match(message, /unity -- promote --from staging --to test$/);
    });
  }

  it("says that it is another release before it says anything of its plan", async () => {
    assert.match(await rejection(production, stagingHas(), "a1b2c3d4e5f6"), /has no verified release/);
  });

  it("rejects a plan without a pin, and applies it with one", async () => {
    const message = await rejection(production, stagingHas(staged), "a1b2c3d4e5f6");
    assert.match(message, /production requires a pinned plan; no changes were made:/);
    const [, planHash = ""] = /pulumi config set planHash (v4-[0-9a-f]{16})$/.exec(message) ?? assert.fail(message);
    await run({ ...production, "unity:planHash": planHash }, stagingHas(staged), "a1b2c3d4e5f6");
  });
});

describe("the program in staging", () => {
  const own = (releases: readonly unknown[]): StackOutputs => ({ "organization/unity/test": { releases } });
  const releasesOf = async (settings: Record<string, string>, known: readonly unknown[] = []) =>
    whenKnown((await run(settings, own(known))).result.releases);

  it("records what production asks for, with the digest", async () => {
    assert.deepEqual(await releasesOf(staging), [staged]);
  });

  it("keeps records of earlier releases, and changes none when no release changes", async () => {
    const earlier = { ...staged, head: "earlier" };
    const releases = await releasesOf(staging, [earlier]);
    assert.deepEqual(releases, [staged, earlier]);
    assert.deepEqual(await releasesOf(staging, releases), releases);
  });

  const results = checkNames.map((name) => ({ name, passed: true }) as CheckResult);
  const declared = declareRelease(
    { ...release, environment: "staging", image, migrationImage: undefined },
    { jobName: "unity-db-migrate-1", configMapName: "unity-db-migrate-runner-1" },
  );
  const earlier = { ...declared, head: "earlier" };
  // As in `up --target`, `up --exclude`, and `refresh --run-program`: the command returns what it printed when it last ran.
  const notRun: readonly [what: string, stdout: string | undefined, outputs: object][] = [
    [
      "the release that they last verified",
      formatVerification(earlier, results),
      { head: "earlier", jobName: declared.jobName, releases: [{ ...staged, head: "earlier" }] },
    ],
    ["nothing if they never ran", undefined, { head: undefined, jobName: undefined, releases: [] }],
    [
      "nothing if their output is of an old format",
      JSON.stringify(results),
      { head: undefined, jobName: undefined, releases: [] },
    ],
  ];
  for (const [what, stdout, outputs] of notRun) {
    it(`outputs, if the checks don't run, ${what}`, async () => {
      using fake = fakeKubectl({ ...certificate, backend: databaseAt([head]) });
      const { result } = await record(
        staging,
        () => runProgram(fake.kubectl),
        own([]),
        () => stdout,
      );
      const { checks: _, ...others } = await whenKnown(pulumi.output(result));
      assert.deepEqual(others, outputs);
    });
  }

  it("declares the release as an input of the checks, which a change of it runs again", async () => {
    const { registrations } = await run(staging, own([]));
    const { stdin } = find(registrations, "command:local:Command", "verification-checks").inputs;
    const { release } = JSON.parse(stdin as string) as CheckTarget;
    const nameOf = (type: string, name: string) =>
      (find(registrations, type, name).inputs.metadata as { name: string }).name;
    const jobName = nameOf("kubernetes:batch/v1:Job", "migration-job");
    const configMapName = nameOf("kubernetes:core/v1:ConfigMap", "migration-runner");
    assert.deepEqual(release, { ...declared, jobName, configMapName });
  });
});
