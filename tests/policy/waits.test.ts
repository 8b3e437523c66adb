import assert from "node:assert/strict";
import type { Resource } from "../../policy/resource.ts";
import { workloadsWithoutWait } from "../../policy/waits.ts";
import { job } from "./support.ts";

const workload = { ...job(), urn: "urn:job", dependencies: [] };
const deployment = { ...workload, type: "kubernetes:apps/v1:Deployment" };
const wait = (kind: string, urns: readonly string[] = [workload.urn]) => ({
  type: "command:local:Command",
  name: "migration-completion",
  props: { interpreter: ["node", "waits/main.ts"], create: kind },
  urn: "urn:wait",
  dependencies: urns.map((urn) => ({ urn })),
});

describe("missing-wait", () => {
  const rejected: readonly (readonly [what: string, resources: Parameters<typeof workloadsWithoutWait>[0]])[] = [
    ["a Job without a command", [workload]],
    ["a Job whose command doesn't depend on it", [workload, wait("job", ["urn:other"])]],
    ["a Job that only a rollout waits for", [workload, wait("rollout")]],
    ["a Job that another resource depends on", [workload, { ...wait("job"), type: "kubernetes:core/v1:Service" }]],
    ["a Deployment without a command", [deployment]],
    ["a Deployment that only a Job's command waits for", [deployment, wait("job")]],
  ];
  for (const [what, resources] of rejected) {
    it(`rejects ${what}`, () => assert.deepEqual(workloadsWithoutWait(resources), [resources[0]]));
  }

  const metadata = (props: Resource["props"]) => ({ ...workload, props: { ...workload.props, ...props } });
  const accepted: readonly (readonly [what: string, resources: Parameters<typeof workloadsWithoutWait>[0]])[] = [
    ["a Job with its command", [workload, wait("job")]],
    [
      "a fleet of Jobs with one command",
      [workload, { ...workload, urn: "urn:b" }, wait("fleet", ["urn:job", "urn:b"])],
    ],
    ["a Deployment with its command", [deployment, wait("rollout")]],
    ["a Job that Pulumi waits for", [metadata({ metadata: {} })]],
    ["a Job whose skipAwait is false", [metadata({ metadata: { annotations: { "pulumi.com/skipAwait": "false" } } })]],
    ["a Service that Pulumi doesn't wait for", [{ ...workload, type: "kubernetes:core/v1:Service" }]],
  ];
  for (const [what, resources] of accepted) {
    it(`accepts ${what}`, () => assert.deepEqual(workloadsWithoutWait(resources), []));
  }
});
