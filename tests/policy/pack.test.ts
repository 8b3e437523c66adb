import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { runtime } from "@pulumi/pulumi";
import type { Resource } from "../../policy/resource.ts";
import { rules } from "../../policy/rules.ts";
import { projectRoot } from "../../src/paths.ts";
import { startPlugin } from "../support/plugin.ts";
import { container, job } from "./support.ts";

const require = createRequire(import.meta.url);
const grpc: typeof import("@grpc/grpc-js") = require("@grpc/grpc-js");
const messages: typeof import("@pulumi/pulumi/proto/analyzer_pb.js") = require("@pulumi/pulumi/proto/analyzer_pb.js");
const { AnalyzerClient } = require("@pulumi/pulumi/proto/analyzer_grpc_pb.js");
const {
  Struct,
}: typeof import("google-protobuf/google/protobuf/struct_pb.js") = require("google-protobuf/google/protobuf/struct_pb.js");

type Info = InstanceType<typeof messages.AnalyzerInfo>;
type Response = InstanceType<typeof messages.AnalyzeResponse>;

const { ADVISORY, MANDATORY } = messages.EnforcementLevel;
const folder = join(projectRoot, "policy");
const read = (path: string) => JSON.parse(readFileSync(join(projectRoot, path), "utf8"));

/** Starts the pack as the Pulumi CLI does: in its folder, which is also the program. */
function startPack() {
  return startPlugin([require.resolve("@pulumi/pulumi/cmd/run-policy-pack"), "127.0.0.1:1", folder], { cwd: folder });
}

describe("the policy pack in Pulumi's analyzer process", () => {
  let child: ChildProcess | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's clients have no types
  let client: any;

  function call<T>(method: string, request: unknown): Promise<T> {
    return new Promise((resolve, reject) =>
      client[method](request, (error: Error | null, response: T) => (error ? reject(error) : resolve(response))),
    );
  }

  function analyzerResource({ type, name, props }: Resource, dependencies: string[] = []) {
    const request = new messages.AnalyzerResource();
    request.setType(type).setName(name).setUrn(`urn:${name}`).setDependenciesList(dependencies);
    return request.setProperties(Struct.fromJavaScript(props)).setOptions(new messages.AnalyzerResourceOptions());
  }

  async function analyze({ type, name, props }: Resource) {
    const request = new messages.AnalyzeRequest();
    request.setType(type).setName(name).setUrn(`urn:${name}`);
    request.setProperties(Struct.fromJavaScript(props)).setOptions(new messages.AnalyzerResourceOptions());
    return diagnosticsOf(await call<Response>("analyze", request));
  }

  function diagnosticsOf(response: Response) {
    return response.getDiagnosticsList().map((each) => ({
      policy: each.getPolicyname(),
      level: each.getEnforcementlevel(),
      message: each.getMessage(),
      urn: each.getUrn(),
    }));
  }

  before(async () => {
    const started = await startPack();
    child = started.child;
    client = new AnalyzerClient(`127.0.0.1:${started.port}`, grpc.credentials.createInsecure());
  });
  after(() => {
    client?.close();
    child?.kill();
  });

  it("has every rule as a mandatory policy", async () => {
    const { Empty } = require("google-protobuf/google/protobuf/empty_pb.js");
    const info = await call<Info>("getAnalyzerInfo", new Empty());
    assert.deepEqual([info.getName(), info.getVersion()], ["pulumi-alembic", read("policy/package.json").version]);
    const policies = info.getPoliciesList();
    assert.deepEqual(
      policies.map((policy) => policy.getName()),
      [...rules.map(({ name }) => name), "missing-wait"],
    );
    assert.ok(policies.every((policy) => policy.getEnforcementlevel() === MANDATORY));
  });

  it("accepts a Job that complies with every policy", async () => {
    assert.deepEqual(await analyze(job()), []);
  });

  it("reports each violation of a resource", async () => {
    const containers = [{ ...container, image: "unity:1.0", env: [{ name: "API_TOKEN", value: "hunter2" }] }];
    const found = await analyze(job({ ttlSecondsAfterFinished: 60 }, { containers }));
    assert.deepEqual(
      found.map(({ policy, level, message }) => ({ policy, level, message })),
      [
        {
          policy: "floating-image",
          level: MANDATORY,
          message: `Images must be pinned by digest; tags are mutable.\ncontainer main: image "unity:1.0" is not pinned by digest`,
        },
        {
          policy: "job-ttl",
          level: MANDATORY,
          message:
            "Finished Jobs must be kept; otherwise the next update creates and runs them again.\nmust not set spec.ttlSecondsAfterFinished",
        },
        {
          policy: "literal-credential",
          level: MANDATORY,
          message:
            "Credentials must come from a Secret.\ncontainer main: env API_TOKEN has a literal value (not shown); use valueFrom.secretKeyRef",
        },
      ],
    );
  });

  it("leaves a policy on an unknown value to the update, and evaluates the others", async () => {
    const containers = [{ ...container, image: runtime.unknownValue }];
    const found = await analyze(job({ ttlSecondsAfterFinished: 60 }, { containers }));
    assert.deepEqual(
      found.map(({ policy, level }) => ({ policy, level })),
      [
        { policy: "floating-image", level: ADVISORY },
        { policy: "job-ttl", level: MANDATORY },
      ],
    );
  });

  it("reports a workload without a wait at the end of the stack", async () => {
    const wait = { type: "command:local:Command", name: "wait", props: { create: "job" } };
    const stacks = [
      [analyzerResource(job())],
      [analyzerResource(job()), analyzerResource(wait, ["urn:migration-job"])],
    ];
    const [without, complete] = await Promise.all(
      stacks.map(async (resources) => {
        const request = new messages.AnalyzeStackRequest().setResourcesList(resources);
        return diagnosticsOf(await call<Response>("analyzeStack", request));
      }),
    );
    assert.deepEqual(
      without?.map(({ policy, level, urn }) => ({ policy, level, urn })),
      [{ policy: "missing-wait", level: MANDATORY, urn: "urn:migration-job" }],
    );
    assert.match(without?.[0]?.message ?? "", /\nmigration-job has no wait command$/);
    assert.deepEqual(complete, []);
  });

  it("lowers a policy's level by the pack's configuration for development", async () => {
    const request = new messages.ConfigureAnalyzerRequest();
    const levels = { advisory: ADVISORY } as Readonly<Record<string, typeof ADVISORY>>;
    for (const [name, level] of Object.entries<string>(read("policy/development.json"))) {
      const policy = new messages.PolicyConfig().setProperties(new Struct());
      policy.setEnforcementlevel(levels[level] ?? assert.fail(level));
      request.getPolicyconfigMap().set(name, policy);
    }
    await call("configure", request);
    const [found, ...others] = await analyze(job({}, { containers: [{ ...container, image: "unity:1.0" }] }));
    assert.deepEqual([found?.policy, found?.level, others], ["floating-image", ADVISORY, []]);
  });

  it("pins the SDK's packages at the versions of the project", () => {
    const { packages } = read("package-lock.json");
    for (const [name, version] of Object.entries(read("policy/package.json").dependencies))
      assert.equal(packages[`node_modules/${name}`].version, version, name);
  });
});
