import assert from "node:assert/strict";
import { evaluateRollout, failedBefore, overdueSince, rejectedReplicaSet } from "../../src/cluster/wait/rollout.ts";
import { container, deployment, pod, servingPod } from "../support/kubernetes.ts";

const failedInit = {
  initContainerStatuses: [container({ name: "migrate", state: { terminated: { exitCode: 1, message: "no" } } })],
};
const overdue = {
  type: "Progressing",
  status: "False",
  reason: "ProgressDeadlineExceeded",
  message: "timed out progressing",
  lastTransitionTime: "2026-01-03T00:01:00Z",
};
const rejected = { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "is forbidden: quota" };

describe("evaluateRollout", () => {
  it("is done when all pods are new and serving", () => {
    const result = evaluateRollout("app", [...deployment(2), servingPod("rs2"), servingPod("rs2")]);
    assert.deepEqual(result, { done: true, progress: "2/2 pods ready", causes: [] });
  });
  it("is not done while a pod of the previous release exists, and names it", () => {
    const { done, progress, causes } = evaluateRollout("app", [...deployment(1), servingPod("rs2"), servingPod("rs1")]);
    assert.deepEqual([done, progress], [false, "1/1 pods ready, 1 old pod pending termination"]);
    assert.equal(causes[0]?.text, "old pod rs1-pod has not terminated");
  });
  it("ignores the status until the Deployment's new spec is observed", () => {
    const items = [...deployment(1, [overdue, rejected], 1), servingPod("rs2")];
    assert.deepEqual(evaluateRollout("app", items), {
      done: false,
      progress: "spec update not observed yet",
      causes: [],
    });
    assert.deepEqual([failedBefore(items), rejectedReplicaSet(items), overdueSince(items)], [[], undefined, undefined]);
  });
  it("names causes of the new pods, not of old or terminating ones", () => {
    const bad = [pod("rs1", failedInit), pod("rs2", failedInit, true)];
    assert.deepEqual(evaluateRollout("app", [...deployment(1), ...bad]).causes, []);
    const { causes } = evaluateRollout("app", [...deployment(1), ...bad, pod("rs2", failedInit)]);
    assert.deepEqual(
      causes.map(({ text }) => text),
      ['container "migrate" in pod rs2-pod exited with code 1 [Error]: no'],
    );
  });
  it("reports a ReplicaSet that can't create pods", () => {
    const [cause] = evaluateRollout("app", deployment(1, [rejected])).causes;
    assert.equal(cause?.text, "Deployment app can't create a pod: is forbidden: quota");
    assert.equal(rejectedReplicaSet(deployment(1, [rejected])), "rs2");
  });
  it("fails when the rollout exceeds its deadline, unless it did so before the wait", () => {
    const items = deployment(1, [overdue]);
    assert.match(evaluateRollout("app", items).failed ?? "", /timed out progressing \[ProgressDeadlineExceeded\]/);
    assert.equal(evaluateRollout("app", items, overdueSince(items)).failed, undefined);
  });
  it("fails without a Deployment", () => assert.match(evaluateRollout("app", []).failed ?? "", /deleted/));
  it("sorts permanent causes first", () => {
    const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "no room" }];
    const { causes } = evaluateRollout("app", [...deployment(2), pod("rs2", { conditions }), pod("rs2", failedInit)]);
    assert.deepEqual(
      causes.map(({ key }) => key),
      ["exit migrate", "unschedulable"],
    );
  });
});

describe("failedBefore", () => {
  it("returns the new release's pods that Kubernetes retries only after minutes", () => {
    const pulling = {
      containerStatuses: [container({ state: { waiting: { reason: "ImagePullBackOff", message: "refused" } } })],
    };
    const items = [...deployment(2), pod("rs2", failedInit), pod("rs2", pulling), pod("rs2"), servingPod("rs2")];
    assert.deepEqual(failedBefore(items), ["rs2-pod", "rs2-pod"]);
    assert.deepEqual(failedBefore([...deployment(1), pod("rs1", failedInit)]), []);
  });
});
