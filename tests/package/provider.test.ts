import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { projectRoot } from "../../paths.ts";

const require = createRequire(import.meta.url);
const grpc: typeof import("@grpc/grpc-js") = require("@grpc/grpc-js");
const messages: typeof import("@pulumi/pulumi/proto/provider_pb.js") = require("@pulumi/pulumi/proto/provider_pb.js");
const { ResourceProviderClient } = require("@pulumi/pulumi/proto/provider_grpc_pb.js");

/** The part of a package's schema that is looked at. */
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

describe("the component provider, as the Pulumi CLI starts it", function () {
  this.timeout(180_000);
  let child: ChildProcess;
  let schema: Schema;

  before(async () => {
    const runner = require.resolve("@pulumi/pulumi/cmd/run-plugin");
    child = spawn(process.execPath, [runner, join(projectRoot, "provider"), "127.0.0.1:1"], {
      cwd: projectRoot,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const port = await new Promise<string>((resolve, reject) => {
      child.stdout?.once("data", (text: Buffer) => resolve(text.toString().trim()));
      child.once("exit", (code) => reject(new Error(`the provider ended with ${code}`)));
    });
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
    });
    const answer = await new Promise<{ getSchema(): string }>((resolve, reject) => {
      const reply = (error: Error | null, response: { getSchema(): string }) =>
        error ? reject(error) : resolve(response);
      client.getSchema(new messages.GetSchemaRequest(), reply);
    });
    client.close();
    schema = JSON.parse(answer.getSchema()) as Schema;
  });
  after(() => {
    child.kill();
  });

  it("has the components, under the tokens that programs in other languages use", () => {
    assert.equal(schema.name, "unity");
    assert.deepEqual(Object.keys(schema.resources).sort(), [
      "unity:index:DatabaseMigration",
      "unity:index:TenantsMigration",
    ]);
    assert.ok(Object.values(schema.resources).every(({ isComponent }) => isComponent));
  });

  it("says of each argument what it is, and which are needed", () => {
    const database = schema.resources["unity:index:DatabaseMigration"];
    assert.deepEqual(database?.requiredInputs, ["appFolder", "context", "image", "namespace", "secretName"]);
    assert.deepEqual(Object.keys(database?.properties ?? {}), ["jobName"]);
    const tenants = schema.resources["unity:index:TenantsMigration"];
    assert.deepEqual(tenants?.requiredInputs, ["appFolder", "context", "image", "namespace", "secretNames"]);
    assert.deepEqual(
      [tenants?.inputProperties.atOnce?.type, tenants?.inputProperties.canaries?.type],
      ["number", "array"],
    );
    for (const { inputProperties } of Object.values(schema.resources))
      assert.ok(Object.values(inputProperties).every(({ description }) => (description ?? "").length > 10));
  });
});
