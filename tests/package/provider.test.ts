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
import { planArguments } from "../../src/package/provider/database-migration.ts";
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
  readonly resources: Readonly<
    Record<
      string,
      {
        readonly isComponent: boolean;
        readonly inputProperties: Readonly<Record<string, { readonly type: string; readonly description?: string }>>;
        readonly requiredInputs: readonly string[];
        readonly properties: Readonly<Record<string, { readonly type: string }>>;
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
  async function construct(type: string, inputs: Record<string, unknown>) {
    const monitor = new Monitor();
    const display = new Display(() => {}, { preview: true, diff: false });
    const { address, server } = await serve(Promise.resolve(monitor as unknown as Deployment), display);
    try {
      const request = new messages.ConstructRequest();
      request.setProject("notes").setStack("test").setDryrun(true).setParallel(1).setMonitorendpoint(address);
      request.setType(`unity:index:${type}`).setName("notes");
      request.setInputs(Struct.fromJavaScript({ ...common, ...inputs } as never));
      const constructed = await call<Constructed>("construct", request);
      return {
        urn: constructed.getUrn(),
        state: constructed.getState()?.toJavaScript(),
        registrations: monitor.registrations,
      };
    } finally {
      server.forceShutdown();
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
    const ended = child && once(child, "exit");
    child?.kill();
    await ended;
    fake[Symbol.dispose]();
  });

  it("has the components with the tokens that other languages use", () => {
    assert.equal(schema.name, "unity");
    assert.deepEqual(Object.keys(schema.resources).sort(), [
      "unity:index:DatabaseMigration",
      "unity:index:TenantsMigration",
    ]);
    assert.ok(Object.values(schema.resources).every(({ isComponent }) => isComponent));
  });

  it("describes each argument, and which are required", () => {
    const database = schema.resources["unity:index:DatabaseMigration"];
    assert.deepEqual(database?.requiredInputs, ["appFolder", "image", "namespace", "secretName"]);
    assert.deepEqual(Object.keys(database?.properties ?? {}), ["jobName"]);
    const tenants = schema.resources["unity:index:TenantsMigration"];
    assert.deepEqual(tenants?.requiredInputs, ["appFolder", "image", "namespace", "secretNames"]);
    assert.deepEqual(
      [tenants?.inputProperties.parallelism?.type, tenants?.inputProperties.canaries?.type],
      ["number", "array"],
    );
    for (const { inputProperties } of Object.values(schema.resources))
      assert.ok(Object.values(inputProperties).every(({ description }) => (description ?? "").length > 10));
  });

  it("creates a migration's resources, nested, with the attempt after a failed one", async () => {
    const { urn, state, registrations } = await construct("DatabaseMigration", { secretName: "notes-database" });
    assert.match(urn, /::unity:index:DatabaseMigration::notes$/);
    assert.deepEqual(registrations.map(({ resource }) => resource.type).sort(), [
      "command:local:Command",
      "kubernetes:batch/v1:Job",
      "kubernetes:core/v1:ConfigMap",
      "kubernetes:core/v1:ServiceAccount",
      "pulumi:providers:kubernetes",
      "unity:index:DatabaseMigration",
      "unity:index:MigrationJob",
    ]);
    const parents = Object.fromEntries(registrations.map(({ resource }) => [resource.type, resource.parent]));
    assert.equal(parents["unity:index:MigrationJob"], urn);
    assert.match(parents["kubernetes:batch/v1:Job"] ?? "", /::unity:index:MigrationJob::notes$/);
    const job = registrations.find(({ resource }) => resource.type === "kubernetes:batch/v1:Job");
    assert.ok(job);
    const { name } = job.resource.inputs.metadata as { name: string };
    assert.deepEqual([name, state], [`${failed}-2`, { jobName: `${failed}-2` }]);
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
      ["a missing argument", "DatabaseMigration", {}, [/secretName.{1,4}required: must be a non-empty string/]],
      [
        "an empty string",
        "DatabaseMigration",
        { secretName: "s", image: "" },
        [/image.{1,4}invalid value "": must be a non-empty string/],
      ],
      [
        "an unknown pull policy",
        "DatabaseMigration",
        { secretName: "s", imagePullPolicy: "Soon" },
        [/imagePullPolicy.{1,4}invalid value "Soon": must be one of IfNotPresent, Always, Never/],
      ],
      [
        "several invalid timeouts",
        "DatabaseMigration",
        { secretName: "s", lockTimeoutSeconds: 0, deadlineSeconds: 300 },
        [
          /lockTimeoutSeconds.{1,4}invalid value 0: must be an integer greater than 0/,
          /deadlineSeconds.{1,4}invalid value 300: must be an integer greater than statementTimeoutSeconds \(300\)/,
        ],
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
      /unknown component unity:index:Nothing: must be DatabaseMigration or TenantsMigration/,
    );
  });
});
