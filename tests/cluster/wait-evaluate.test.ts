import assert from "node:assert/strict";
import { evaluateJob, hasStarted, type JobItem } from "../../src/cluster/wait/evaluate-job.ts";
import {
  evaluateRollout,
  failedBefore,
  overdueSince,
  rejectedReplicaSet,
} from "../../src/cluster/wait/evaluate-rollout.ts";
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

describe("judgeRollout", () => {
  it("is done when all pods are new and serve", () => {
    const result = evaluateRollout("app", [...deployment(2), servingPod("rs2"), servingPod("rs2")]);
    assert.deepEqual(result, { done: true, progress: "2 of 2 pods ready", causes: [] });
  });
  it("is not done while a pod of the release before is left, which it names", () => {
    const { done, progress, causes } = evaluateRollout("app", [...deployment(1), servingPod("rs2"), servingPod("rs1")]);
    assert.deepEqual([done, progress], [false, "1 of 1 pods ready, 1 of the release before"]);
    assert.equal(causes[0]?.text, "pod rs1-pod of the release before is still there");
  });
  it("believes nothing before the Deployment's new specification is taken up", () => {
    const items = [...deployment(1, [overdue, rejected], 1), servingPod("rs2")];
    assert.deepEqual(evaluateRollout("app", items), { done: false, progress: "not taken up yet", causes: [] });
    assert.deepEqual([failedBefore(items), rejectedReplicaSet(items), overdueSince(items)], [[], undefined, undefined]);
  });
  it("names causes of the new pods, not of old or terminating ones", () => {
    const bad = [pod("rs1", failedInit), pod("rs2", failedInit, true)];
    assert.deepEqual(evaluateRollout("app", [...deployment(1), ...bad]).causes, []);
    const { causes } = evaluateRollout("app", [...deployment(1), ...bad, pod("rs2", failedInit)]);
    assert.deepEqual(
      causes.map(({ text }) => text),
      ['container "migrate" of pod rs2-pod ended with exit code 1 [Error]: no'],
    );
  });
  it("says what a ReplicaSet was refused", () => {
    const [cause] = evaluateRollout("app", deployment(1, [rejected])).causes;
    assert.equal(cause?.text, "Deployment app gets no pod: is forbidden: quota");
    assert.equal(rejectedReplicaSet(deployment(1, [rejected])), "rs2");
  });
  it("fails when the rollout exceeds its deadline, unless it did so before the wait", () => {
    const items = deployment(1, [overdue]);
    assert.match(evaluateRollout("app", items).failed ?? "", /timed out progressing \[ProgressDeadlineExceeded\]/);
    assert.equal(evaluateRollout("app", items, overdueSince(items)).failed, undefined);
  });
  it("fails when there is no Deployment", () => assert.match(evaluateRollout("app", []).failed ?? "", /deleted/));
  it("puts first what needs a person", () => {
    const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "no room" }];
    const { causes } = evaluateRollout("app", [...deployment(2), pod("rs2", { conditions }), pod("rs2", failedInit)]);
    assert.deepEqual(
      causes.map(({ key }) => key),
      ["end migrate", "unschedulable"],
    );
  });
});

describe("failedBefore", () => {
  it("is the new release's pods that Kubernetes would try again only after minutes", () => {
    const pulling = {
      containerStatuses: [container({ state: { waiting: { reason: "ImagePullBackOff", message: "refused" } } })],
    };
    const items = [...deployment(2), pod("rs2", failedInit), pod("rs2", pulling), pod("rs2"), servingPod("rs2")];
    assert.deepEqual(failedBefore(items), ["rs2-pod", "rs2-pod"]);
    assert.deepEqual(failedBefore([...deployment(1), pod("rs1", failedInit)]), []);
  });
});

describe("judgeJob", () => {
  const job = (type?: string, message = ""): JobItem => ({
    kind: "Job",
    metadata: { name: "job", uid: "u" },
    status: { conditions: type === undefined ? [] : [{ type, status: "True", reason: "Because", message }] },
  });
  const evaluate = (items: JobItem[], ...warnings: string[]) => evaluateJob("job", items, warnings);

  it("is done at the condition Complete only, so that what follows is younger", () => {
    assert.equal(evaluate([job("Complete")]).done, true);
    assert.equal(evaluate([job("SuccessCriteriaMet"), pod("job", { phase: "Succeeded" })]).done, false);
  });
  for (const condition of ["Failed", "FailureTarget"]) {
    it(`fails at the condition ${condition}, with what the container left`, () => {
      const result = evaluate([job(condition, "has reached the limit"), pod("job", failedInit)]);
      assert.equal(result.failed, "has reached the limit [Because]");
      assert.match(result.causes[0]?.text ?? "", /exit code 1 \[Error\]: no/);
    });
  }
  it("shows the log of a pod that was still at work when the time was over", () => {
    const status = { containerStatuses: [container({ name: "migrate", state: { running: {} }, ready: true })] };
    const [cause] = evaluate([job("FailureTarget", "was active longer"), pod("job", status)]).causes;
    assert.match(cause?.text ?? "", /container "migrate" of pod \S+ was still at work/);
    assert.equal(cause?.log?.container, "migrate");
    assert.deepEqual(evaluate([job(), pod("job", status)]).causes, []);
  });
  it("fails when it is gone", () => assert.equal(evaluate([pod("job")]).failed, "it was deleted"));
  it("reports the newest warning while there is no pod", () => {
    const message = "is forbidden: exceeded quota";
    assert.equal(evaluate([job()], "older", message).causes[0]?.text, `Job job gets no pod: ${message}`);
    assert.deepEqual(evaluate([job(), pod("job")], message).causes, []);
  });
  it("looks at no other Job's pods", () => {
    const { progress, causes } = evaluate([job(), pod("another", failedInit)]);
    assert.deepEqual([progress, causes], ["no pod yet", []]);
  });
});

describe("hasStarted", () => {
  const states: [string, object, boolean][] = [
    ["waits", { waiting: { reason: "ErrImagePull" } }, false],
    ["runs", { running: {} }, true],
    ["has ended", { terminated: { exitCode: 1 } }, true],
  ];
  for (const [what, state, started] of states) {
    it(`is ${started} for a container that ${what}`, () => {
      assert.equal(hasStarted([pod("job", { containerStatuses: [container({ state })] })]), started);
    });
  }
  it("is false without a pod", () => assert.equal(hasStarted([]), false));
});
