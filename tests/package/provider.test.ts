import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { ServiceError } from "@grpc/grpc-js";
import { planMigration } from "../../components/plan-migration.ts";
import type { Deployment } from "../../local/engine/deployment.ts";
import { Display } from "../../local/engine/display.ts";
import { serve } from "../../local/engine/monitor.ts";
import type { Registration } from "../../local/engine/step.ts";
import { outputSignature, signature, unknown } from "../../local/engine/values.ts";
import { planArguments } from "../../src/package/provider/migration.ts";
import { projectRoot } from "../../src/paths.ts";
import { type FakeKubectl, fakeKubectl } from "../support/fake-kubectl.ts";
import { startPlugin } from "../support/plugin.ts";

const require = createRequire(import.meta.url);
const grpc: typeof import("@grpc/grpc-js") = require("@grpc/grpc-js");
const messages: typeof import("@pulumi/pulumi/proto/provider_pb.js") = require("@pulumi/pulumi/proto/provider_pb.js");
const { ResourceProviderClient } = require("@pulumi/pulumi/proto/provider_grpc_pb.js");
const {
  Struct,
}: typeof import("google-protobuf/google/protobuf/struct_pb.js") = require("google-protobuf/google/protobuf/struct_pb.js");

/** Part of a package's schema that the tests read. */
interface Schema {
  readonly name: string;
  readonly types: Readonly<Record<string, { readonly required?: readonly string[] }>>;
  readonly resources: Readonly<
    Record<
      string,
      {
        readonly isComponent: boolean;
        readonly inputProperties: Readonly<Record<string, { readonly type: string; readonly description?: string }>>;
        readonly requiredInputs: readonly string[];
        readonly properties: Readonly<Record<string, { readonly type?: string; readonly $ref?: string }>>;
      }
    >
  >;
}

/** Response to the construction of a component. */
type Constructed = InstanceType<typeof messages.ConstructResponse>;

/** Engine's monitor that records registrations and creates nothing. */
class Monitor {
  readonly registrations: Registration[] = [];

  async register(registration: Registration): Promise<{ urn: string; id: string; outputs: object }> {
    this.registrations.push(registration);
    const { name, resource } = registration;
    return { urn: `urn:pulumi:test::notes::${resource.type}::${name}`, id: name, outputs: resource.outputs };
  }

  registerOutputs(): void {}
}

/** Arguments of every component. */
const common = {
  name: "notes",
  context: "lab",
  namespace: "notes",
  image: "registry.example/notes:1.0",
  appFolder: join(projectRoot, "examples", "notes", "app"),
};

/** Returns the first attempt's Job of {@link common}, which has failed on the cluster. */
async function failedJob() {
  using empty = fakeKubectl();
  const { report } = await planMigration(planArguments({ ...common, secretName: "notes-database" }), empty.kubectl);
  return {
    metadata: { name: report.job?.name ?? "", creationTimestamp: "2026-01-01T00:00:00Z" },
    status: { conditions: [{ type: "Failed", status: "True" }] },
  };
}

describe("the component provider, as the Pulumi CLI starts it", () => {
  let child: ChildProcess;
  // biome-ignore lint/suspicious/noExplicitAny: the SDK gives its clients no types
  let client: any;
  /** Monitors of the components, which register their outputs after the call has returned. */
  const servers: { forceShutdown(): void }[] = [];
  let schema: Schema;
  let fake: FakeKubectl;
  /** Name of the Job that has failed. */
  let failed: string;

  /** Calls the provider, as the CLI does. */
  function call<T>(method: "construct" | "getSchema", request: unknown): Promise<T> {
    return new Promise((resolve, reject) =>
      client[method](request, (error: Error | null, response: T) => (error ? reject(error) : resolve(response))),
    );
  }

  /** Constructs a component of the example's chain, in a preview. */
  async function construct(type: string, inputs: Record<string, unknown>, name = "notes") {
    const monitor = new Monitor();
    const display = new Display(() => {}, { preview: true, diff: false });
    const { address, server } = await serve(Promise.resolve(monitor as unknown as Deployment), display);
    try {
      const request = new messages.ConstructRequest();
      request.setProject("notes").setStack("test").setDryrun(true).setParallel(1).setMonitorendpoint(address);
      request.setType(`pulumi-alembic:index:${type}`).setName(name);
      request.setInputs(Struct.fromJavaScript({ ...common, ...inputs } as never));
      const constructed = await call<Constructed>("construct", request);
      return {
        urn: constructed.getUrn(),
        state: constructed.getState()?.toJavaScript(),
        registrations: monitor.registrations,
      };
    } finally {
      servers.push(server);
    }
  }

  before(async () => {
    const job = await failedJob();
    failed = job.metadata.name;
    fake = fakeKubectl({ jobs: { output: JSON.stringify({ items: [job] }) } });
    const runner = require.resolve("@pulumi/pulumi/cmd/run-plugin");
    const command = [runner, join(projectRoot, "src", "package", "provider"), "127.0.0.1:1"];
    const env = { ...process.env, ...fake.environment };
    const plugin = await startPlugin(command, { cwd: projectRoot, env });
    child = plugin.child;
    client = new ResourceProviderClient(`127.0.0.1:${plugin.port}`, grpc.credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
    });
    const answer = await call<{ getSchema(): string }>("getSchema", new messages.GetSchemaRequest());
    schema = JSON.parse(answer.getSchema()) as Schema;
  });
  after(async () => {
    client?.close();
    for (const server of servers) server.forceShutdown();
    const ended = child && once(child, "exit");
    child?.kill();
    await ended;
    fake[Symbol.dispose]();
  });

  it("has the components with the tokens that other languages use", () => {
    assert.equal(schema.name, "pulumi-alembic");
    assert.deepEqual(Object.keys(schema.resources).sort(), [
      "pulumi-alembic:index:Migration",
      "pulumi-alembic:index:TenantsMigration",
      "pulumi-alembic:index:Verification",
    ]);
    assert.ok(Object.values(schema.resources).every(({ isComponent }) => isComponent));
  });

  it("describes each argument, and which are required", () => {
    const database = schema.resources["pulumi-alembic:index:Migration"];
    assert.deepEqual(database?.requiredInputs, ["appFolder", "image", "name", "namespace"]);
    assert.deepEqual(Object.keys(database?.properties ?? {}), ["jobName", "gate", "databaseVariable", "summary"]);
    const verification = schema.resources["pulumi-alembic:index:Verification"];
    assert.deepEqual(verification?.requiredInputs, ["checks", "migration", "workloads"]);
    assert.deepEqual(Object.keys(verification?.properties ?? {}), ["results", "releases"]);
    const tenants = schema.resources["pulumi-alembic:index:TenantsMigration"];
    assert.deepEqual(tenants?.requiredInputs, ["appFolder", "image", "name", "namespace", "secretNames"]);
    assert.deepEqual(
      [tenants?.inputProperties.parallelism?.type, tenants?.inputProperties.canaries?.type],
      ["number", "array"],
    );
    for (const { inputProperties } of Object.values(schema.resources))
      assert.ok(Object.values(inputProperties).every(({ description }) => (description ?? "").length > 10));
  });

  it("has types with the names that generated SDKs give them", () => {
    const names = Object.keys(schema.types).map((token) => token.replace("pulumi-alembic:index:", ""));
    const expected = ["ApplicationRole", "Approval", "Gate", "Names", "Policy", "RestorePoint", "Tls"];
    assert.deepEqual(names.sort(), expected); // SDKs append Args to those of arguments
    const gate = schema.types["pulumi-alembic:index:Gate"];
    assert.deepEqual(gate?.required, ["annotations", "initContainers", "labels", "volumes"]);
    const { properties } = schema.resources["pulumi-alembic:index:Migration"] ?? {};
    assert.equal(properties?.gate?.$ref, "#/types/pulumi-alembic:index:Gate");
  });

  it("creates a migration's resources, nested, with the attempt after a failed one", async () => {
    const { urn, state, registrations } = await construct("Migration", { secretName: "notes-database" });
    assert.match(urn, /::pulumi-alembic:index:Migration::notes$/);
    assert.deepEqual(registrations.map(({ resource }) => resource.type).sort(), [
      "command:local:Command",
      "kubernetes:batch/v1:Job",
      "kubernetes:core/v1:ConfigMap",
      "kubernetes:core/v1:ConfigMap",
      "kubernetes:core/v1:ServiceAccount",
      "pulumi-alembic:index:Migration",
      "pulumi-alembic:index:MigrationJob",
      "pulumi:providers:kubernetes",
    ]);
    const parents = Object.fromEntries(registrations.map(({ resource }) => [resource.type, resource.parent]));
    assert.equal(parents["pulumi-alembic:index:MigrationJob"], urn);
    assert.match(parents["kubernetes:batch/v1:Job"] ?? "", /::pulumi-alembic:index:MigrationJob::notes$/);
    const job = registrations.find(({ resource }) => resource.type === "kubernetes:batch/v1:Job");
    assert.ok(job);
    const { name } = job.resource.inputs.metadata as { name: string };
    assert.deepEqual([name, state?.jobName], [`${failed}-2`, `${failed}-2`]);
  });

  /** Returns the inputs of the only registered resource of a type whose name ends so. */
  function inputsOf(registrations: readonly Registration[], type: string, end: string): Record<string, unknown> {
    const found = registrations.filter(({ name, resource }) => resource.type === type && name.endsWith(end));
    assert.equal(found.length, 1, `${type} ${end}`);
    return found[0]?.resource.inputs as Record<string, unknown>;
  }

  it("offers the gate as a value to merge, and the variable of its Secret", async () => {
    const gateContainer = { env: [{ name: "MODE", value: "m" }] };
    const { state, registrations } = await construct("Migration", {
      databaseUrl: "postgresql://u:p@h/d",
      gateContainer,
    });
    const secret = inputsOf(registrations, "kubernetes:core/v1:Secret", "-database");
    assert.equal((secret.metadata as { name: string }).name, "notes-database");
    const { gate, databaseVariable } = state as unknown as {
      gate: Record<"initContainers" | "volumes", readonly { name: string; env?: { name: string }[] }[]> & {
        labels: object;
      };
      databaseVariable: object;
    };
    assert.deepEqual(gate.labels, { "pulumi-alembic/app": "notes" });
    assert.deepEqual(
      gate.initContainers.map(({ name }) => name),
      ["migrate"],
    );
    assert.ok(gate.initContainers[0]?.env?.some(({ name }) => name === "MODE"));
    assert.deepEqual(
      gate.volumes.map(({ name }) => name),
      ["runner", "migrate-tmp"],
    );
    const secretKeyRef = { name: "notes-database", key: "DATABASE_URL" };
    assert.deepEqual(databaseVariable, { name: "DATABASE_URL", valueFrom: { secretKeyRef } });
  });

  it("plans by the policy, and names the objects as the arguments say", async () => {
    const policy = { restorePoint: { image: "postgres:17" } };
    const inputs = { secretName: "s", policy, names: { migrateJob: "moves", serviceAccount: "mover" } };
    const { state, registrations } = await construct("Migration", inputs);
    assert.match(String(state?.jobName), /^moves-[0-9a-f]{10}$/);
    const { spec } = inputsOf(registrations, "kubernetes:batch/v1:Job", "-job") as {
      spec: { template: { spec: { serviceAccountName: string; initContainers: { image: string }[] } } };
    };
    const { serviceAccountName, initContainers } = spec.template.spec;
    assert.deepEqual([serviceAccountName, initContainers[0]?.image], ["mover", "postgres:17"]);
    const stale = construct("Migration", { secretName: "s", policy: { planHash: "v4-0123456789abcdef" } });
    await assert.rejects(stale, /plan is stale/);
  });

  it("verifies the release of a migration, whose summary it gets", async () => {
    const { state } = await construct("Migration", { secretName: "notes-database" });
    const checks = ["revision", { kind: "http", path: "/healthz" }];
    const inputs = { migration: state?.summary, workloads: ["web", "worker"], checks };
    const { urn, registrations } = await construct("Verification", inputs);
    assert.match(urn, /::pulumi-alembic:index:Verification::notes$/);
    const command = inputsOf(registrations, "command:local:Command", "-checks") as {
      stdin: string;
      triggers: string[];
    };
    const target = JSON.parse(command.stdin);
    assert.deepEqual([target.head, target.workloads, target.checks], ["0003", ["web", "worker"], checks]);
    assert.deepEqual([target.context, target.namespace], ["lab", "notes"]);
    assert.deepEqual([target.release.jobName, target.release.image], [state?.jobName, common.image]);
    assert.equal(command.triggers[0], state?.jobName as unknown);
    const waits = registrations.filter(({ name }) => /-rollout-\d$/.test(name));
    assert.equal(waits.length, 2);
  });

  it("waits for a workload whose name is an output, again after each of its rollouts", async () => {
    const { state } = await construct("Migration", { secretName: "notes-database" });
    const web = "urn:pulumi:test::notes::kubernetes:apps/v1:Deployment::web";
    for (const [value, name] of [
      ["web", "web"],
      [undefined, unknown],
    ] as const) {
      const workload = { [signature]: outputSignature, dependencies: [web], ...(value && { value }) };
      const inputs = { migration: state?.summary, workloads: [workload], checks: ["pods"], triggers: [3] };
      const { registrations } = await construct("Verification", inputs);
      const wait = inputsOf(registrations, "command:local:Command", "-rollout-1");
      const stdin = String(wait.stdin);
      assert.equal(value === undefined ? stdin : JSON.parse(stdin).name, name);
      assert.deepEqual(wait.triggers, ["3"]);
    }
  });

  it("rejects a second verification of a migration", async () => {
    const { state } = await construct("Migration", { secretName: "notes-database", names: { partOf: "twice" } });
    const inputs = { migration: state?.summary, workloads: ["web"], checks: ["pods"] };
    await construct("Verification", inputs, "web");
    await construct("Verification", inputs, "web");
    await assert.rejects(construct("Verification", inputs, "worker"), /invalid arguments/);
  });

  it("declares a Job for each tenant, with the tenant's Secret", async () => {
    const { state, registrations } = await construct("TenantsMigration", { secretNames: { b: "of-b", a: "of-a" } });
    const { jobNames } = state as unknown as { jobNames: Record<string, string> };
    assert.deepEqual(Object.keys(jobNames).sort(), ["a", "b"]);
    const jobs = registrations.filter(({ resource }) => resource.type === "kubernetes:batch/v1:Job");
    assert.equal(jobs.length, 2);
    for (const [tenant, secret] of Object.entries({ a: "of-a", b: "of-b" })) {
      const inputs = jobs.map(({ resource }) => JSON.stringify(resource.inputs));
      const own = inputs.filter((text) => text.includes(`"${jobNames[tenant]}"`));
      assert.ok(own.length === 1 && own[0]?.includes(`"${secret}"`), tenant);
    }
  });

  const invalid: readonly [what: string, type: string, inputs: Record<string, unknown>, messages: readonly RegExp[]][] =
    [
      ["a missing argument", "Migration", {}, [/secretName.{1,4}required: must be a non-empty string/]],
      [
        "an empty string",
        "Migration",
        { secretName: "s", image: "" },
        [/image.{1,4}invalid value "": must be a non-empty string/],
      ],
      [
        "an unknown pull policy",
        "Migration",
        { secretName: "s", imagePullPolicy: "Soon" },
        [/imagePullPolicy.{1,4}invalid value "Soon": must be one of IfNotPresent, Always, Never/],
      ],
      [
        "several invalid timeouts",
        "Migration",
        { secretName: "s", lockTimeoutSeconds: 0, deadlineSeconds: 300 },
        [
          /lockTimeoutSeconds.{1,4}invalid value 0: must be an integer greater than 0/,
          /deadlineSeconds.{1,4}invalid value 300: must be an integer greater than statementTimeoutSeconds \(300\)/,
        ],
      ],
      [
        "both a URL and a Secret, and an invalid policy",
        "Migration",
        {
          secretName: "s",
          databaseUrl: "postgresql://h/d",
          policy: { environment: "prod", approvals: [{ revision: "1" }] },
        },
        [
          /secretName.{1,4}conflicts with databaseUrl: pass only one of them/,
          /policy\.environment.{1,4}invalid value "prod": must be one of development, staging, production/,
          /policy\.approvals\[0\]\.rule.{1,4}required: must be the name of a rule/,
        ],
      ],
      [
        "an unknown check and no workloads",
        "Verification",
        { migration: {}, workloads: [], checks: ["revisions"] },
        [/workloads/, /revisions/],
      ],
      [
        "no tenants",
        "TenantsMigration",
        { secretNames: {} },
        [/secretNames.{1,4}invalid value \{\}: must be a map from each tenant to the name of its Secret/],
      ],
      [
        "a list of Secrets",
        "TenantsMigration",
        { secretNames: ["of-a"] },
        [/secretNames.{1,4}invalid value \["of-a"\]: must be a map/],
      ],
      [
        "canaries that are not a list",
        "TenantsMigration",
        { secretNames: { a: "of-a" }, canaries: "a" },
        [/canaries.{1,4}invalid value "a": must be a list of tenants/],
      ],
      [
        "a Secret name that is not a string",
        "TenantsMigration",
        { secretNames: { a: 1 } },
        [/secretNames\.a.{1,4}invalid value 1: must be a non-empty string/],
      ],
    ];
  for (const [what, type, inputs, messages] of invalid) {
    it(`rejects ${type} with ${what}`, async () => {
      const failure = construct(type, inputs);
      await assert.rejects(failure, /invalid arguments/);
      const { metadata } = (await failure.catch((error) => error)) as ServiceError;
      const [details = ""] = metadata.get("grpc-status-details-bin");
      for (const message of messages) assert.match(details.toString(), message);
    });
  }

  it("rejects an unknown component, and lists the known ones", async () => {
    await assert.rejects(
      construct("Nothing", {}),
      /unknown component pulumi-alembic:index:Nothing: must be Migration, TenantsMigration, or Verification/,
    );
  });
});
