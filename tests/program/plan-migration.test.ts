import assert from "node:assert/strict";
import { join } from "node:path";
import { mock } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { MigrationJob } from "../../components/migration-job.ts";
import type { MigrationPlanArgs } from "../../components/migration-plan.ts";
import { planMigration } from "../../components/plan-migration.ts";
import { projectRoot } from "../../src/paths.ts";
import { loadChain } from "../../src/preflight/release.ts";
import { identify } from "../../src/promotion/record.ts";
import { databaseAt, type FakeAnswers, fakeKubectl, kubectlProgram } from "../support/fake-kubectl.ts";
import { find, record } from "../support/recorder.ts";

const args: MigrationPlanArgs = {
  name: "notes",
  appFolder: join(projectRoot, "examples", "notes", "app"),
  image: "notes:1",
  database: { secretName: "notes-database" },
  namespace: "notes",
};
const pod = {
  metadata: { name: "web-1", creationTimestamp: "2026-11-24T00:00:00Z" },
  spec: { containers: [{ name: "web" }] },
  status: { phase: "Running" },
};
const items = (...objects: object[]) => ({ output: JSON.stringify({ items: objects }) });

/** Plans in a program on a cluster that answers so. */
async function plan(changed: Partial<MigrationPlanArgs> = {}, answers: Partial<FakeAnswers> = {}) {
  using fake = fakeKubectl(answers);
  const { result } = await record({}, () => planMigration({ ...args, ...changed }, fake.kubectl));
  return result;
}

/** Returns an ended Job of the plan's work, as the cluster lists it. */
async function ended(condition: "Complete" | "Failed") {
  const { report } = await plan();
  return {
    metadata: { name: report.job?.name, creationTimestamp: "2026-11-24T00:00:00Z" },
    status: { conditions: [{ type: condition, status: "True" }] },
  };
}

describe("planMigration", () => {
  it("plans the whole chain where nothing is deployed", async () => {
    const { report, attempt, jobPlan } = await plan();
    assert.deepEqual(
      report.pending?.map(({ id }) => id),
      ["0001", "0002", "0003"],
    );
    assert.deepEqual([report.state.kind, attempt, report.job?.action], ["not-deployed", 1, "run"]);
    assert.equal(JSON.parse(jobPlan ?? "").hash, report.hash);
  });

  it("plans from the revision that a gated pod reads, and binds the Job to it", async () => {
    const { report, jobPlan } = await plan({}, { pods: items(pod), backend: databaseAt(["0002"]) });
    assert.deepEqual(
      report.pending?.map(({ id }) => id),
      ["0003"],
    );
    const { from, database } = JSON.parse(jobPlan ?? "");
    assert.deepEqual([from, database.name], [["0002"], "homelab_db"]);
  });

  it("ignores a pod that is being deleted", async () => {
    const stopping = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: "2026-11-24T00:00:01Z" } };
    const { report } = await plan({}, { pods: items(stopping), backend: databaseAt(["0002"]) });
    assert.equal(report.state.kind, "not-deployed");
  });

  it("keeps a complete Job, and declares the next attempt after a failed one", async () => {
    const atHead = { pods: items(pod), backend: databaseAt(["0003"]) };
    const kept = await plan({}, { ...atHead, jobs: items(await ended("Complete")) });
    assert.deepEqual([kept.attempt, kept.report.job?.action], [1, "keep"]);
    const retried = await plan({}, { ...atHead, jobs: items(await ended("Failed")) });
    assert.deepEqual([retried.attempt, retried.report.job?.action], [2, "run"]);
  });

  it("declares the next attempt after a Job that was deleted in the cluster", async () => {
    const { metadata } = await ended("Complete");
    const annotations = { "pulumi-alembic/last-job": metadata.name };
    const account = { output: JSON.stringify({ metadata: { name: "notes-migrations", annotations } }) };
    const { attempt, report } = await plan({}, { pods: items(pod), backend: databaseAt(["0003"]), account });
    assert.deepEqual([attempt, report.job?.reason], [2, `${metadata.name} was deleted`]);
  });

  const rejected: readonly (readonly [what: string, changed: Partial<MigrationPlanArgs>, message: RegExp])[] = [
    [
      "a plan other than the pinned one",
      { policy: { planHash: "v4-0123456789abcdef" } },
      /plan is stale: .*policy: \{ planHash: "v4-/s,
    ],
    [
      "an unpinned plan in production",
      { policy: { environment: "production" } },
      /requires a pinned plan; no changes were made:/,
    ],
    [
      "approvals that match nothing",
      { policy: { approvals: [{ revision: "0009", rule: "x" }] } },
      /policy\.approvals\[0\]: unknown revision 0009/,
    ],
    ["an unknown target", { policy: { targetRevision: "0009" } }, /0009/],
    ["an invalid name", { name: "Notes" }, /invalid name "Notes": must be 1 to 23 lowercase letters/],
    [
      "timeouts in the wrong order",
      { timeouts: { lockTimeoutSeconds: 400 } },
      /invalid timeouts\.statementTimeoutSeconds 300: must be an integer greater than lockTimeoutSeconds \(400\)/,
    ],
    [
      "a pod with a secret",
      { pod: { env: [{ name: "TOKEN", value: pulumi.secret("t0ken") }] } },
      /invalid pod: it contains a secret/,
    ],
  ];
  /** Arguments that no type checker has seen. */
  const invalid: readonly (readonly [changed: object, message: RegExp])[] = [
    [{ name: undefined }, /name is missing: must be 1 to 23 lowercase letters/],
    [{ namespace: undefined }, /namespace is missing: must be the name of a namespace/],
    [
      { namespace: pulumi.output("notes") },
      /invalid namespace an output: must be the name of a namespace, not an output/,
    ],
    [{ appFolder: undefined }, /appFolder is missing: must be a non-empty string/],
    [{ image: "" }, /invalid image "": must be a non-empty string/],
    [{ database: undefined }, /database is missing: must be a URL, or an object with secretName/],
    [
      { database: { url: "postgresql://u:hunter2@h/n" } },
      /invalid database \(value hidden\): must be a URL, or an object with secretName$/,
    ],
    [{ database: { secretName: undefined } }, /database\.secretName is missing: must be the name of an object/],
    [{ policy: { environment: "prod" } }, /invalid policy\.environment "prod": must be one of development, staging/],
    [{ policy: { planhash: "v4-1" } }, /unknown policy\.planhash: must be one of environment, approvals, planHash/],
    [{ policy: { approvals: { revision: "1" } } }, /invalid policy\.approvals an object: must be a list/],
    [{ policy: { approvals: [{ revision: "1" }] } }, /policy\.approvals\[0\]\.rule is missing: must be the name/],
    [{ policy: { allowDowngrade: "false" } }, /invalid policy\.allowDowngrade "false": must be true or false/],
    [{ policy: { toleratedRevisions: "0009" } }, /invalid policy\.toleratedRevisions "0009": must be a list/],
    [{ policy: { restorePoint: { storage: "1Gi" } } }, /policy\.restorePoint\.image is missing/],
    [{ timeouts: { lockTimeout: 5 } }, /unknown timeouts\.lockTimeout: must be one of lockTimeoutSeconds/],
    [{ timeouts: { lockTimeoutSeconds: "5" } }, /invalid timeouts\.lockTimeoutSeconds "5": must be an integer/],
    [{ names: { migrateJob: "Bad_Name" } }, /invalid names\.migrateJob "Bad_Name": must be 1 to 34 lowercase/],
    [{ names: { accounts: {} } }, /names\.accounts\.migrations is missing/],
    [{ cluster: "kind" }, /invalid cluster "kind": must be an object with context, kubeconfig/],
    [{ workloads: "web" }, /invalid workloads "web": must be a list/],
    [{ tls: { mode: "prefer" } }, /invalid tls\.mode "prefer": must be one of disable, require, verify-full/],
    [{ podSecurityStandard: "none" }, /invalid podSecurityStandard "none": must be one of restricted/],
    [{ pod: { enviroment: [] } }, /unknown pod\.enviroment: must be one of env, envFrom/],
    [{ pod: { env: { A: "b" } } }, /invalid pod\.env "an object": must be a list/],
    [{ polciy: {} }, /unknown polciy: must be one of name, appFolder/],
  ];
  for (const [changed, message] of invalid) {
    const what = message.source.replaceAll("\\", "").split(":")[0];
    it(`rejects an argument: ${what}`, async () => {
      await assert.rejects(plan(changed as Partial<MigrationPlanArgs>), (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hunter2/);
        return pulumi.RunError.isInstance(error);
      });
    });
  }

  for (const [what, changed, message] of rejected) {
    it(`rejects ${what}`, () => assert.rejects(plan(changed), message));
  }

  it("rejects an unknown revision with what to do about it", () => {
    const planned = plan({}, { pods: items(pod), backend: databaseAt(["0009"]) });
    return assert.rejects(
      planned,
      /Database is at 0009, which is not in the lockfile.*toleratedRevisions: \["0009"\]/s,
    );
  });

  it("rejects Jobs of another stack with its name", async () => {
    const job = await ended("Complete");
    const foreign = { ...job, metadata: { ...job.metadata, annotations: { "pulumi-alembic/owner": "notes/first" } } };
    const message = /belongs to stack notes\/first, not to unity\/test; no changes were made\.\n/;
    await assert.rejects(plan({}, { jobs: items(foreign) }), message);

    // Its Job was deleted, but not what else it would overwrite.
    const annotations = { "pulumi-alembic/last-job": job.metadata.name, "pulumi-alembic/owner": "notes/first" };
    const account = { output: JSON.stringify({ metadata: { name: "notes-migrations", annotations } }) };
    await assert.rejects(plan({}, { account }), message);
  });

  it("rejects with the cause if the cluster is unreachable", () => {
    const planned = plan({}, { jobs: { error: "Unable to connect to the server" } });
    return assert.rejects(planned, /can't list the migrate Jobs of namespace unity: Unable to connect/);
  });

  it("plans the whole chain in the preview of a cluster that doesn't exist yet", async () => {
    const kubeconfig = pulumi.output(pulumi.unknown as string);
    const { report } = await planMigration({ ...args, cluster: { kubeconfig } });
    assert.deepEqual([report.pending?.length, report.job?.action], [3, "run"]);
    assert.match(report.message, /^The cluster doesn't exist yet/);
  });

  it("shows what is pending before the image is known, which names the Job", async () => {
    const image = pulumi.output(pulumi.unknown as string);
    const { report } = await plan({ image }, { pods: items(pod), backend: databaseAt(["0002"]) });
    assert.deepEqual(
      report.pending?.map(({ id }) => id),
      ["0003"],
    );
    assert.deepEqual([report.hash, report.job?.reason], [null, "its image is not known yet"]);
  });

  describe("with a URL, for which it declares a Secret", () => {
    const url = { database: "postgresql://u:p@h/d" };
    const secrets: readonly (readonly [what: string, secret: string, message: RegExp | undefined])[] = [
      ["accepts its own", "7 true unity/test\nDATABASE_URL", undefined],
      ["accepts that of an earlier version, without an owner", "7 true \nDATABASE_URL", undefined],
      [
        "rejects that of another stack",
        "7 true unity/other\nDATABASE_URL",
        /Secret notes-database in namespace unity belongs to stack unity\/other, not to unity\/test; no changes/,
      ],
      [
        "rejects one that no stack declares",
        "7 \nPASSWORD",
        /Secret notes-database in namespace unity exists, and no stack declares it; no changes were made\./,
      ],
    ];
    for (const [what, output, message] of secrets) {
      it(what, async () => {
        const planned = plan(url, { secret: { output } });
        if (message === undefined) await planned;
        else await assert.rejects(planned, message);
        await plan({}, { secret: { output } });
      });
    }
  });

  it("promotes each app by its own releases of a stack with several", async () => {
    const image = `registry.example/notes@sha256:${"a".repeat(64)}`;
    const staged = { version: 2, environment: "staging", checks: 1, imageName: "n", migrationImageName: "n" };
    const release = { ...staged, ...identify({ ...loadChain(args.appFolder), image }) };
    const stacks = {
      "organization/unity/staging": { releases: { notes: [release], tasks: [{ ...release, chain: "other" }] } },
      "organization/unity/test": { releases: { notes: [release] } },
    };
    const promote = (name: string) =>
      record(
        {},
        async () => {
          using fake = fakeKubectl();
          const policy = { promotedFrom: "staging", environment: "staging" } as const;
          return await planMigration({ ...args, name, image, policy }, fake.kubectl);
        },
        stacks,
      );
    assert.deepEqual((await promote("notes")).result.records, [release]);
    await assert.rejects(promote("tasks"), /- chain: \S+ \(newest in staging: other\)/);
    await assert.rejects(promote("shop"), /stack staging has no verified release of app shop/);
  });

  it("previews a promotion before its image is known, which an update requires", async () => {
    const digest = `registry.example/notes@sha256:${"a".repeat(64)}`;
    const staged = { version: 2, environment: "staging", checks: 1, imageName: "n", migrationImageName: "n" };
    const releases = [{ ...staged, ...identify({ ...loadChain(args.appFolder), image: digest }) }];
    const promote = async (image: pulumi.Input<string>) => {
      using fake = fakeKubectl();
      const given = { ...args, image, policy: { promotedFrom: "staging" } };
      const stacks = { "organization/unity/staging": { releases } };
      return (await record({}, () => planMigration(given, fake.kubectl), stacks)).result.report.job?.action;
    };
    assert.equal(await promote(pulumi.output(pulumi.unknown as string)), "run");
    assert.equal(await promote(digest), "run");
    await assert.rejects(promote(digest.replace("aa", "bb")), /release not verified in staging; no changes were made:/);
  });

  it("plans two apps of one staging program, each with its own reference", async () => {
    const references: string[] = [];
    await record({}, async () => {
      const monitor = pulumi.runtime.getMonitor() as unknown as Record<"readResource", (...all: unknown[]) => void>;
      const read = monitor.readResource.bind(monitor);
      monitor.readResource = (...all) => {
        references.push((all[0] as { getName(): string }).getName());
        read(...all);
      };
      using fake = fakeKubectl();
      const policy = { environment: "staging" } as const;
      for (const name of ["notes", "tasks"]) await planMigration({ ...args, name, policy }, fake.kubectl);
    });
    assert.deepEqual(references, ["notes-own-releases", "tasks-own-releases"]);
  });

  it("gives the pod text where a program in YAML has numbers", async () => {
    const pod = (port: unknown) => ({
      env: [{ name: "PORT", value: port }],
      annotations: { port },
      resources: { limits: { memory: port } },
    });
    const [numbers, texts] = [await plan({ pod: pod(5) as never }), await plan({ pod: pod("5") as never })];
    assert.deepEqual(numbers.inputs, texts.inputs);
    assert.equal(numbers.report.job?.name, texts.report.job?.name);
  });

  it("warns if the image is a secret, because it is part of pod specs", async () => {
    const warned = mock.method(pulumi.log, "warn", async () => {});
    await plan({ image: pulumi.secret("notes:1") });
    assert.match(String(warned.mock.calls[0]?.arguments[0]), /^image is a secret, but .* show it$/);
    warned.mock.restore();
  });

  it("has the defaults of optional arguments that are undefined", async () => {
    const names = { partOf: undefined, migrateJob: undefined, accounts: undefined, userId: undefined };
    const timeouts = { deadlineSeconds: undefined, lockTimeoutSeconds: undefined };
    const policy = { environment: undefined, approvals: undefined, restorePoint: undefined };
    const [plain, given] = [await plan(), await plan({ names, timeouts, policy, pod: { env: undefined } })];
    assert.deepEqual(given.options, plain.options);
    assert.equal(given.report.job?.name, plain.report.job?.name);
  });

  const unusable: readonly (readonly [what: string, changed: Partial<MigrationPlanArgs>, message: RegExp])[] = [
    ["no image", { image: pulumi.output(undefined as never) }, /invalid arguments .* image is missing: must be/s],
    ["an empty image", { image: pulumi.output("") }, /invalid image "": must be a non-empty string/],
    [
      "no name of a Secret",
      { database: { secretName: pulumi.output("") } },
      /invalid database\.secretName "": must be the name of an object/,
    ],
    [
      "an empty kubeconfig",
      { cluster: { kubeconfig: pulumi.secret("") } },
      /invalid cluster\.kubeconfig: empty; must be the content of a kubeconfig/,
    ],
  ];
  for (const [what, changed, message] of unusable) {
    it(`rejects outputs with ${what}`, async () => {
      using fake = fakeKubectl();
      const client = changed.cluster ? undefined : fake.kubectl;
      await assert.rejects(
        record({}, () => planMigration({ ...args, ...changed }, client)),
        message,
      );
    });
  }

  it("rejects an output with an empty URL once it is known", async () => {
    const { databaseUrl } = await plan({ database: pulumi.secret("") });
    const url = (databaseUrl as unknown as { promise(): Promise<string> }).promise();
    await assert.rejects(url, /invalid database \(value hidden\): must be a URL/);
  });

  it("takes a kubeconfig that is an object, as that of EKS", async () => {
    using program = kubectlProgram('#!/bin/sh\ncat "$(echo "$1" | cut -d= -f2)" >&2; exit 1\n');
    const [kubeconfig, { PATH }] = [{ clusters: [{ name: "eks" }] }, process.env];
    Object.assign(process.env, program.environment);
    const planned = record({}, () =>
      planMigration({ ...args, cluster: { kubeconfig: pulumi.secret(kubeconfig as never) } }),
    );
    await assert
      .rejects(planned, /\{"clusters":\[\{"name":"eks"\}\]\}/)
      .finally(() => Object.assign(process.env, { PATH }));
  });

  it("takes image, Secret, and pod from outputs", async () => {
    const outputs = {
      image: pulumi.output("notes:1"),
      database: { secretName: pulumi.output("notes-database") },
      pod: { env: [{ name: "A", value: pulumi.output("b") }] },
    };
    const [plain, resolved] = [await plan({ pod: { env: [{ name: "A", value: "b" }] } }), await plan(outputs)];
    assert.equal(resolved.report.job?.name, plain.report.job?.name);
  });
});

describe("MigrationJob of a plan", () => {
  const template = {
    metadata: { labels: { app: "web" } },
    spec: {
      initContainers: [
        { name: "assets", image: "a" },
        { name: "proxy", image: "p", restartPolicy: "Always" },
      ],
      containers: [
        {
          name: "web",
          image: "w",
          env: [
            { name: "DATABASE_URL", value: "x" },
            { name: "MODE", value: "m" },
          ],
        },
      ],
    },
  };

  /** Declares a migration, and returns the gated spec. */
  async function gated(spec: object = { template }, changed: Partial<MigrationPlanArgs> = {}, gate: object = {}) {
    using fake = fakeKubectl();
    const { result, registrations } = await record({}, async () => {
      const migration = new MigrationJob("notes", { plan: await planMigration({ ...args, ...changed }, fake.kubectl) });
      const value = migration.gate(spec as { template: object }, gate);
      return new Promise<{ template: pulumi.Unwrap<typeof template> }>((resolve) =>
        pulumi.output(value).apply((plain) => resolve(plain as never)),
      );
    });
    return { ...result.template, registrations };
  }

  it("adds the gate after native sidecars and before other init containers", async () => {
    const { spec, metadata } = await gated();
    assert.deepEqual(
      spec.initContainers.map(({ name }) => name),
      ["proxy", "migrate", "assets"],
    );
    assert.deepEqual(metadata.labels, { app: "web", "pulumi-alembic/app": "notes" });
  });

  it("runs the gate as the user of the Job's pod", async () => {
    const users: readonly (readonly [Partial<MigrationPlanArgs>, number | undefined])[] = [
      [{}, 10001],
      [{ names: { userId: 2000 } }, 2000],
      [{ names: { userId: 2000 }, pod: { userId: 3000 } }, 3000],
      [{ pod: { userId: "none" } }, undefined],
    ];
    for (const [changed, user] of users) {
      const { spec } = await gated({ template }, changed);
      const gate = spec.initContainers[1] as unknown as { securityContext: { runAsUser?: number } };
      assert.equal(gate.securityContext.runAsUser, user);
    }
  });

  it("gives the gate the app's variables, and the database of the migration", async () => {
    const { spec } = await gated();
    const gate = spec.initContainers[1] as unknown as { env: { name: string; value?: string; valueFrom?: object }[] };
    const urls = gate.env.filter(({ name }) => name === "DATABASE_URL");
    assert.deepEqual(urls, [
      { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "notes-database", key: "DATABASE_URL" } } },
    ]);
    assert.ok(gate.env.some(({ name, value }) => name === "MODE" && value === "m"));
  });

  it("gates a spec that is an output", async () => {
    const { spec } = await gated(pulumi.output({ template }));
    assert.equal(spec.initContainers[1]?.name, "migrate");
  });

  const web = { name: "web", image: "w" };
  const database = { name: "DATABASE_URL", value: "other" };
  const mount = { name: "files", mountPath: "/tmp" };
  const outputs: Record<string, object> = {
    container: { containers: [pulumi.output({ ...web, env: [database], volumeMounts: [mount] })] },
    lists: {
      containers: [{ ...web, env: pulumi.output([database]), volumeMounts: pulumi.output([mount]) }],
      volumes: pulumi.output([]),
    },
    items: {
      containers: [{ ...web, env: [pulumi.output(database)], volumeMounts: [pulumi.output(mount)] }],
      initContainers: [pulumi.output({ name: "proxy", restartPolicy: "Always" })],
    },
    keys: {
      containers: [
        { ...web, env: [{ ...database, name: pulumi.output("DATABASE_URL") }] },
        { name: pulumi.output("other"), image: "w" },
      ],
      initContainers: [{ name: "proxy", restartPolicy: pulumi.output("Always") }],
    },
  };
  for (const [what, pod] of Object.entries(outputs)) {
    it(`gates a pod with outputs as ${what}`, async () => {
      const { spec } = await gated({ template: { spec: pod } });
      const gate = spec.initContainers.at(-1) as unknown as Record<"env" | "volumeMounts", { name: string }[]>;
      const own = gate.env.filter(({ name }) => name === "DATABASE_URL");
      assert.deepEqual(own, [
        { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "notes-database", key: "DATABASE_URL" } } },
      ]);
      assert.deepEqual(
        gate.volumeMounts.map(({ name }) => name),
        ["runner", "migrate-tmp"],
      );
    });
  }

  it("keeps the gate's own mounts and server, whatever the app's are", async () => {
    const volumeMounts = ["/tmp/", "/opt/migration-runner/"].map((mountPath) => ({ name: "v", mountPath }));
    const container = { ...web, volumeMounts, env: [{ name: "PGHOSTADDR", value: "10.0.0.1" }] };
    const { spec } = await gated({ template: { spec: { containers: [container] } } });
    const gate = spec.initContainers[0] as unknown as Record<"env" | "volumeMounts", { name: string }[]>;
    assert.deepEqual(
      gate.volumeMounts.map(({ name }) => name),
      ["runner", "migrate-tmp"],
    );
    assert.ok(!gate.env.some(({ name }) => name === "PGHOSTADDR"));
  });

  const unsafe: readonly (readonly [what: string, gate: object, message: RegExp])[] = [
    ["another database", { env: [database] }, /invalid gate\.env\[0\]\.name "DATABASE_URL": must be a name other than/],
    [
      "another runner",
      { volumeMounts: [{ name: "v", mountPath: "/opt/migration-runner" }] },
      /invalid gate\.volumeMounts\[0\]\.mountPath "\/opt\/migration-runner": must be a folder outside/,
    ],
    [
      "more rights",
      { securityContext: { privileged: true } },
      /invalid gate\.securityContext\.privileged true: must be false/,
    ],
    ["another command", { command: ["true"] }, /unknown gate\.command: must be one of env, envFrom, resources/],
    ["a map of variables", { env: { A: "b" } }, /invalid gate\.env an object: must be a list/],
  ];
  for (const [what, gate, message] of unsafe) {
    it(`rejects a gate with ${what}`, () => assert.rejects(gated({ template }, {}, gate), message));
  }

  it("rejects a spec without a pod template", async () => {
    const message = /can't add the gate: the spec has no pod template; for a CronJob, pass spec\.jobTemplate\.spec/;
    await assert.rejects(gated({ jobTemplate: { spec: { template } } }), message);
  });

  it("rejects a pod with a container of the gate's name", async () => {
    const taken = { spec: { containers: [{ name: "migrate" }] } };
    await assert.rejects(gated({ template: taken }), /can't add the gate: the pod has a container migrate; rename it/);
  });

  it("declares the Secret of a URL, whose version replaces the pods", async () => {
    const database = pulumi.secret("postgresql://u:p@h/notes");
    const { registrations, metadata } = await gated({ template }, { database });
    const { inputs } = find(registrations, "kubernetes:core/v1:Secret", "notes-database");
    assert.equal((inputs.metadata as { name: string }).name, "notes-database");
    assert.deepEqual((metadata as { annotations?: object }).annotations, {
      "pulumi-alembic/database-secret": "notes-database-version",
      "pulumi-alembic/head": "0003",
    });
  });

  it("refers to the declared Secret by its name, also with other names in the cluster", async () => {
    const { registrations } = await gated({ template }, { database: "postgresql://u:p@h/n", names: { partOf: "app" } });
    const secret = find(registrations, "kubernetes:core/v1:Secret", "notes-database");
    const job = find(registrations, "kubernetes:batch/v1:Job", "notes-job");
    const { name } = secret.inputs.metadata as { name: string };
    assert.match(JSON.stringify(job.inputs.spec), new RegExp(`"key":"DATABASE_URL","name":"${name}"`));
  });
});
