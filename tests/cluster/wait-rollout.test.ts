import assert from "node:assert/strict";
import { type RolloutItem, rolloutOf, selectorOf } from "../../src/cluster/rollout.ts";
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

/** Returns an object of another Deployment with the same revisions. */
function rename(item: RolloutItem, owner: string): RolloutItem {
  const { metadata } = item;
  const uid = `${owner}-${metadata.uid}`;
  const owners = metadata.ownerReferences?.map((each) => ({ ...each, uid: `${owner}-${each.uid}` }));
  return {
    ...item,
    metadata: { ...metadata, name: uid, uid, ...(owners && { ownerReferences: owners }) },
  } as RolloutItem;
}

const rollout = (...items: RolloutItem[]) => rolloutOf(items, "app");
const evaluate = (...items: RolloutItem[]) => evaluateRollout("app", rollout(...items));

describe("evaluateRollout", () => {
  it("is done when all pods are new and serving", () => {
    const result = evaluate(...deployment(2), servingPod("rs2"), servingPod("rs2"));
    assert.deepEqual(result, { done: true, progress: "2/2 pods ready", causes: [] });
  });
  it("is not done while a pod of the previous release serves", () => {
    const { done, progress } = evaluate(...deployment(1), servingPod("rs2"), servingPod("rs1"));
    assert.deepEqual([done, progress], [false, "1/1 pods ready, 1 old pod pending termination"]);
  });
  it("is done while a pod of the previous release terminates", () => {
    const terminating = pod("rs1", servingPod("rs1").status, true);
    const result = evaluate(...deployment(1), servingPod("rs2"), terminating);
    assert.deepEqual(result, { done: true, progress: "1/1 pods ready", causes: [] });
  });
  it("ignores the status until the Deployment's new spec is observed", () => {
    const before = rollout(...deployment(1, [overdue, rejected], 1), servingPod("rs2"));
    assert.deepEqual(evaluateRollout("app", before), {
      done: false,
      progress: "spec update not observed yet",
      causes: [],
    });
    assert.deepEqual(
      [failedBefore(before), rejectedReplicaSet(before), overdueSince(before)],
      [[], undefined, undefined],
    );
  });
  it("names causes of the new pods, not of old or terminating ones", () => {
    const bad = [pod("rs1", failedInit), pod("rs2", failedInit, true)];
    assert.deepEqual(evaluate(...deployment(1), ...bad).causes, []);
    const { causes } = evaluate(...deployment(1), ...bad, pod("rs2", failedInit));
    assert.deepEqual(
      causes.map(({ text }) => text),
      ['container "migrate" in pod rs2-pod exited with code 1 [Error]: no'],
    );
  });
  it("reports a ReplicaSet that can't create pods", () => {
    const [cause] = evaluate(...deployment(1, [rejected])).causes;
    assert.equal(cause?.text, "Deployment app can't create a pod: is forbidden: quota");
    assert.equal(rejectedReplicaSet(rollout(...deployment(1, [rejected]))), "rs2");
  });
  it("fails when the rollout exceeds its deadline, unless it did so before the wait", () => {
    const late = rollout(...deployment(1, [overdue]));
    assert.match(evaluateRollout("app", late).failed ?? "", /timed out progressing \[ProgressDeadlineExceeded\]/);
    assert.equal(evaluateRollout("app", late, overdueSince(late)).failed, undefined);
  });
  it("fails without a Deployment", () => assert.match(evaluate().failed ?? "", /deleted/));
  it("ignores other Deployments, their ReplicaSets, and their pods", () => {
    const [other, ...sets] = deployment(3).map((item) => rename(item, "other"));
    assert.ok(other !== undefined);
    const pods = [servingPod("other-rs2"), pod("other-rs1", failedInit)];
    const result = evaluate(other, ...sets, ...pods, ...deployment(1), servingPod("rs2"));
    assert.deepEqual(result, { done: true, progress: "1/1 pods ready", causes: [] });
  });
  it("sorts permanent causes first", () => {
    const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "no room" }];
    const { causes } = evaluate(...deployment(2), pod("rs2", { conditions }), pod("rs2", failedInit));
    assert.deepEqual(
      causes.map(({ key }) => key),
      ["exit migrate", "unschedulable"],
    );
  });
});

describe("selectorOf", () => {
  it("returns a selector as kubectl takes it", () => {
    const matchExpressions = [
      { key: "tier", operator: "In", values: ["a", "b"] },
      { key: "track", operator: "NotIn", values: ["canary"] },
      { key: "app", operator: "Exists" },
      { key: "old", operator: "DoesNotExist" },
    ];
    const [item] = deployment(1);
    assert.ok(item?.kind === "Deployment");
    const spec = { ...item.spec, selector: { matchLabels: { app: "web", "x/y": "z" }, matchExpressions } };
    assert.equal(selectorOf({ ...item, spec }), "app=web,x/y=z,tier in (a,b),track notin (canary),app,!old");
  });
});

describe("failedBefore", () => {
  it("returns the new release's pods that Kubernetes retries only after minutes", () => {
    const pulling = {
      containerStatuses: [container({ state: { waiting: { reason: "ImagePullBackOff", message: "refused" } } })],
    };
    const items = [...deployment(2), pod("rs2", failedInit), pod("rs2", pulling), pod("rs2"), servingPod("rs2")];
    assert.deepEqual(failedBefore(rollout(...items)), ["rs2-pod", "rs2-pod"]);
    assert.deepEqual(failedBefore(rollout(...deployment(1), pod("rs1", failedInit))), []);
  });
});
