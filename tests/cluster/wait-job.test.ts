import assert from "node:assert/strict";
import { evaluateJob, type JobItem, stageOf } from "../../src/cluster/wait/job.ts";
import { container, pod } from "../support/kubernetes.ts";

const failedInit = {
  initContainerStatuses: [container({ name: "migrate", state: { terminated: { exitCode: 1, message: "no" } } })],
};

describe("evaluateJob", () => {
  const job = (type?: string, message = ""): JobItem => ({
    kind: "Job",
    metadata: { name: "job", uid: "u" },
    status: { conditions: type === undefined ? [] : [{ type, status: "True", reason: "Because", message }] },
  });
  const evaluate = (items: JobItem[], ...warnings: string[]) => evaluateJob("job", items, warnings);

  it("is done at the condition Complete only, so that dependents are younger", () => {
    assert.equal(evaluate([job("Complete")]).done, true);
    assert.equal(evaluate([job("SuccessCriteriaMet"), pod("job", { phase: "Succeeded" })]).done, false);
  });
  for (const condition of ["Failed", "FailureTarget"]) {
    it(`fails at the condition ${condition}, with the container's message`, () => {
      const result = evaluate([job(condition, "has reached the limit"), pod("job", failedInit)]);
      assert.equal(result.failed, "has reached the limit [Because]");
      assert.match(result.causes[0]?.text ?? "", /exited with code 1 \[Error\]: no/);
    });
  }
  it("shows the log of a pod that was still running at the deadline", () => {
    const status = { containerStatuses: [container({ name: "migrate", state: { running: {} }, ready: true })] };
    const [cause] = evaluate([job("FailureTarget", "was active longer"), pod("job", status)]).causes;
    assert.match(cause?.text ?? "", /container "migrate" in pod \S+ was still running/);
    assert.equal(cause?.log?.container, "migrate");
    assert.deepEqual(evaluate([job(), pod("job", status)]).causes, []);
  });
  const taking = { initContainerStatuses: [container({ name: "restore-point", state: { running: {} } })] };
  it("reports that the restore point is being taken", () => {
    const { progress, causes, failed } = evaluate([job(), pod("job", taking)]);
    assert.deepEqual([progress, causes, failed], ["taking the restore point", [], undefined]);
  });
  it("shows the log of a restore point that was still running at the deadline", () => {
    const [cause] = evaluate([job("FailureTarget", "was active longer"), pod("job", taking)]).causes;
    assert.match(cause?.text ?? "", /container "restore-point" in pod \S+ was still running/);
  });
  it("fails when the Job was deleted", () => assert.equal(evaluate([pod("job")]).failed, "the Job was deleted"));
  it("reports the newest warning until a pod exists", () => {
    const message = "is forbidden: exceeded quota";
    assert.equal(evaluate([job()], "older", message).causes[0]?.text, `Job job can't create a pod: ${message}`);
    assert.deepEqual(evaluate([job(), pod("job")], message).causes, []);
  });
  it("ignores the pods of other Jobs", () => {
    const { progress, causes } = evaluate([job(), pod("another", failedInit)]);
    assert.deepEqual([progress, causes], ["no pod yet", []]);
  });
});

describe("a Job with a native sidecar", () => {
  const job: JobItem = { kind: "Job", metadata: { name: "job", uid: "u" }, status: { conditions: [] } };
  const failed: JobItem = {
    ...job,
    status: { conditions: [{ type: "FailureTarget", status: "True", message: "late" }] },
  };
  const withSidecar = (status: object) => {
    const item = pod("job", status);
    const spec = { containers: [], initContainers: [{ name: "proxy", restartPolicy: "Always" }, { name: "fetch" }] };
    return { ...item, spec } as unknown as typeof item;
  };
  const proxy = container({ name: "proxy", state: { running: {} }, ready: true });
  const migrate = container({ name: "migrate", state: { running: {} }, ready: true });

  it("reports how far the migration is, not that the sidecar runs", () => {
    const { progress, causes } = evaluateJob(
      "job",
      [job, withSidecar({ phase: "Running", initContainerStatuses: [proxy] })],
      [],
    );
    assert.deepEqual([progress, causes], ["pod running", []]);
  });
  it("shows the log of the migration that was running at the deadline", () => {
    const status = { initContainerStatuses: [proxy], containerStatuses: [migrate] };
    assert.equal(evaluateJob("job", [failed, withSidecar(status)], []).causes[0]?.log?.container, "migrate");
  });
  it("may restart it before it is ready", () => {
    const restarted = container({
      name: "proxy",
      state: { running: {} },
      restartCount: 1,
      lastState: { terminated: { exitCode: 1 } },
    });
    const [cause] = evaluateJob("job", [job, withSidecar({ initContainerStatuses: [restarted] })], []).causes;
    assert.equal(cause?.gracePeriodSeconds, Number.POSITIVE_INFINITY);
  });
  it("has not started while only the sidecar and another init container run", () => {
    const fetch = container({ name: "fetch", state: { running: {} } });
    assert.equal(stageOf([withSidecar({ initContainerStatuses: [proxy, fetch] })]), "never started");
  });
});

describe("stageOf", () => {
  const states: [string, object, boolean][] = [
    ["is waiting", { waiting: { reason: "ErrImagePull" } }, false],
    ["is running", { running: {} }, true],
    ["has terminated", { terminated: { exitCode: 1 } }, true],
  ];
  for (const [what, state, started] of states) {
    const statuses = [container({ state })];
    it(`is ${started ? "the migration" : "before the start"} for a container that ${what}`, () => {
      assert.equal(stageOf([pod("job", { containerStatuses: statuses })]), started ? "migration" : "never started");
    });
    it(`is ${started ? "the restore point" : "before the start"} for a restore point's container that ${what}`, () => {
      assert.equal(
        stageOf([pod("job", { initContainerStatuses: [container({ name: "restore-point", state })] })]),
        started ? "restore point" : "never started",
      );
    });
  }
  it("is before the start without a pod", () => assert.equal(stageOf([]), "never started"));
});
