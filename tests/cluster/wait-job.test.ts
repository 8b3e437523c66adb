import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Job, jobState } from "../../src/cluster/objects.ts";
import { evaluateJob, type JobItem, stageOf, startFailure } from "../../src/cluster/wait/evaluate-job.ts";
import { completeHeldJob, migrateJob } from "../../src/cluster/wait/job.ts";
import { withRecordedOutcome } from "../../src/cluster/wait/outcome.ts";
import { kubectlProgram } from "../support/fake-kubectl.ts";
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
  const evaluate = (items: JobItem[], ...warnings: string[]) => evaluateJob("job", items, "migrate", warnings);

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
  const succeeded = container({ name: "migrate", state: { terminated: { exitCode: 0 } } });
  const failed = container({ name: "migrate", state: { terminated: { exitCode: 1 } } });
  const proxy = (state: object) => container({ name: "proxy", state });
  const sidecar = pod("job", { phase: "Running", containerStatuses: [proxy({ running: {} }), succeeded] });

  it("is done when the migration has succeeded, though a sidecar runs on", () => {
    const { done, progress, held } = evaluate([job(), sidecar]);
    assert.deepEqual([done, progress], [true, "container migrate succeeded, proxy running"]);
    assert.deepEqual(held, { pod: "job-pod", sidecars: ["proxy"] });
  });
  it("waits for the end of the sidecar once the Job is being completed", () => {
    const { done, held } = evaluate([job("SuccessCriteriaMet"), sidecar]);
    assert.deepEqual([done, held], [false, undefined]);
  });
  it("is done when the migration has succeeded, though a sidecar failed", () => {
    const statuses = [proxy({ terminated: { exitCode: 1 } }), succeeded];
    const { done, held } = evaluate([job("Failed"), pod("job", { phase: "Failed", containerStatuses: statuses })]);
    assert.deepEqual([done, held], [true, { pod: "job-pod", sidecars: [] }]);
  });
  it("is done if the Job is marked as migrated", () => {
    const marked = job("Failed");
    const metadata = { ...marked.metadata, annotations: { "pulumi-alembic/migrated": "true" } };
    const item = { ...marked, kind: "Job", metadata } as Job;
    assert.deepEqual([evaluate([item]).done, jobState(item)], [true, "complete"]);
  });
  it("fails when the migration has failed, though a sidecar runs on", () => {
    const running = pod("job", { phase: "Running", containerStatuses: [proxy({ running: {} }), failed] });
    const causes = evaluate([job(), running]).causes.filter((cause) => Number.isFinite(cause.gracePeriodSeconds));
    assert.deepEqual(
      causes.map(({ key }) => key),
      ["exit migrate"],
    );
  });
  it("never fails because of a sidecar, also a native one", () => {
    const crashed = { state: {}, lastState: { terminated: { exitCode: 1 } }, restartCount: 1 };
    const broken = [proxy({ waiting: { reason: "ErrImagePull", message: "not found" } })];
    const native = [container({ name: "native", ...crashed })];
    const status = { phase: "Running", initContainerStatuses: native, containerStatuses: broken };
    const item = pod("job", status);
    const initContainers = [{ name: "native", restartPolicy: "Always" }];
    const { causes } = evaluate([job(), { ...item, spec: { ...item.spec, initContainers, containers: [] } }]);
    assert.deepEqual(
      causes.map(({ key, gracePeriodSeconds }) => [key, gracePeriodSeconds]),
      [
        ["exit native", Number.POSITIVE_INFINITY],
        ["pull localhost/app:1", Number.POSITIVE_INFINITY],
      ],
    );
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
    const items = [job, withSidecar({ phase: "Running", initContainerStatuses: [proxy] })];
    const { progress, causes } = evaluateJob("job", items, "migrate");
    assert.deepEqual([progress, causes], ["pod running", []]);
  });
  it("shows the log of the migration that was running at the deadline", () => {
    const status = { initContainerStatuses: [proxy], containerStatuses: [migrate] };
    assert.equal(evaluateJob("job", [failed, withSidecar(status)], "migrate").causes[0]?.log?.container, "migrate");
  });
  it("may restart it before it is ready", () => {
    const restarted = container({
      name: "proxy",
      state: { running: {} },
      restartCount: 1,
      lastState: { terminated: { exitCode: 1 } },
    });
    const [cause] = evaluateJob("job", [job, withSidecar({ initContainerStatuses: [restarted] })], "migrate").causes;
    assert.equal(cause?.gracePeriodSeconds, Number.POSITIVE_INFINITY);
  });
  it("is at the init container that runs beside it", () => {
    assert.equal(stageOf([withSidecar({ initContainerStatuses: [proxy] })]), "never started");
    const fetch = container({ name: "fetch", state: { running: {} } });
    assert.equal(stageOf([withSidecar({ initContainerStatuses: [proxy, fetch] })]), "init container");
  });
});

describe("stageOf", () => {
  const states: [string, object, boolean][] = [
    ["is waiting", { waiting: { reason: "ErrImagePull" } }, false],
    ["is running", { running: {} }, true],
    ["has terminated", { terminated: { exitCode: 1 } }, true],
  ];
  for (const [what, state, started] of states) {
    const statuses = [container({ name: "migrate", state })];
    it(`is ${started ? "the migration" : "before the start"} for a container that ${what}`, () => {
      assert.equal(stageOf([pod("job", { containerStatuses: statuses })]), started ? "migration" : "never started");
    });
    it(`is ${started ? "the init container" : "before the start"} for one of the configuration that ${what}`, () => {
      const status = { initContainerStatuses: [container({ name: "fetch", state })] };
      assert.equal(stageOf([pod("job", status)]), started ? "init container" : "never started");
    });
    it(`is ${started ? "the restore point" : "before the start"} for a restore point's container that ${what}`, () => {
      assert.equal(
        stageOf([pod("job", { initContainerStatuses: [container({ name: "restore-point", state })] })]),
        started ? "restore point" : "never started",
      );
    });
  }
  it("ignores sidecars, also native ones", () => {
    const running = { running: {} };
    const status = { initContainerStatuses: [container({ name: "native", state: running })] };
    const item = pod("job", { ...status, containerStatuses: [container({ name: "proxy", state: running })] });
    const initContainers = [{ name: "native", restartPolicy: "Always" }];
    assert.equal(stageOf([{ ...item, spec: { initContainers, containers: [] } }]), "never started");
  });
  it("is before the start without a pod", () => assert.equal(stageOf([]), "never started"));
  it("is the migration if the Job's pod has succeeded and is not listed anymore", () => {
    const job = (status: object) => ({ kind: "Job", metadata: { name: "job", uid: "u" }, status }) as unknown as Job;
    for (const status of [
      { succeeded: 1 },
      { uncountedTerminatedPods: { succeeded: ["u"] } },
      { conditions: [{ type: "SuccessCriteriaMet", status: "True" }] },
    ])
      assert.equal(stageOf([], job(status)), "migration");
    assert.equal(stageOf([], job({ active: 1 })), "never started");
  });
});

describe("startFailure", () => {
  const pending = { done: false, progress: "pod pending", causes: [] };
  const at = (seconds: number, state: object = {}, result = pending) => {
    const items = [{ kind: "Job", metadata: { name: "job", uid: "u" }, status: {} } as Job, pod("job", state)];
    return startFailure("job", items, result, seconds, 20);
  };
  const init = (name: string, state: object) => ({ initContainerStatuses: [container({ name, state })] });
  const running = { running: {} };

  it("fails a Job whose migration has not started in time, and no other", () => {
    assert.equal(at(20)?.failed, "its migration did not start within 20s (startTimeoutSeconds)");
    assert.equal(at(19), undefined);
    assert.equal(at(20, init("restore-point", running)), undefined);
    assert.equal(at(20, { containerStatuses: [container({ name: "migrate", state: running })] }), undefined);
    assert.equal(at(20, {}, { ...pending, failed: "deleted" } as typeof pending), undefined);
    assert.equal(at(20, {}, { ...pending, done: true }), undefined);
  });
  it("names the init container that takes the time, with its log", () => {
    assert.equal(at(19, init("fetch", running)), undefined);
    const failure = at(20, init("fetch", running));
    assert.equal(
      failure?.failed,
      "its migration did not start within 20s (startTimeoutSeconds), because init container fetch was still running",
    );
    assert.deepEqual(failure?.causes[0]?.log, { pod: "job-pod", container: "fetch", previous: false });
    const ended = at(20, init("fetch", { terminated: { exitCode: 0 } }));
    assert.equal(ended?.failed, "its migration did not start within 20s (startTimeoutSeconds)");
  });
});

describe("giving up on a Job", () => {
  /** Gives up on a Job in a state, and returns the sentence and the calls that change something. */
  async function giveUp(status: object, podStatus: object) {
    const metadata = { name: "job", uid: "u" };
    const items = [{ kind: "Job", metadata, status }, pod("job", podStatus)];
    using fake = kubectlProgram(`#!/bin/sh
cd "$(dirname "$0")"
case "$*" in
  *" get events "*) echo '{"items": []}' ;;
  *" get "*) if [ -f canceled ]; then cat canceled; else cat items; fi ;;
  *) echo "$*" >> calls; case "$*" in *activeDeadlineSeconds*) cp failed canceled ;; esac ;;
esac
`);
    const failed = { conditions: [{ type: "Failed", status: "True", reason: "DeadlineExceeded", message: "late" }] };
    writeFileSync(join(fake.folder, "items"), JSON.stringify({ items }));
    writeFileSync(join(fake.folder, "failed"), JSON.stringify({ items: [{ kind: "Job", metadata, status: failed }] }));
    const target = { context: "here", namespace: "unity", name: "job", timeoutSeconds: 1 };
    const said = await migrateJob(fake.kubectl, target).giveUp?.();
    const calls = join(fake.folder, "calls");
    return { said, calls: existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [] };
  }
  const complete = { conditions: [{ type: "Complete", status: "True" }] };
  const succeeded = container({ name: "migrate", state: { terminated: { exitCode: 0 } } });
  const proxy = container({ name: "proxy", state: { running: {} } });

  it("changes nothing if it is complete", async () => {
    const { said, calls } = await giveUp(complete, { phase: "Succeeded", containerStatuses: [succeeded] });
    assert.deepEqual([said, calls], ["The migration has succeeded since.", []]);
  });
  it("completes it if its migration has succeeded beside a sidecar", async () => {
    const { said, calls } = await giveUp({}, { phase: "Running", containerStatuses: [succeeded, proxy] });
    assert.equal(said, "The migration has succeeded since.");
    assert.match(calls.join("\n"), /^\S+ \S+ patch job\/job --subresource=status .*SuccessCriteriaMet[^\n]*$/);
  });
  it("leaves a migration that runs to its end", async () => {
    const migrate = container({ name: "migrate", state: { running: {} } });
    assert.deepEqual(await giveUp({}, { containerStatuses: [migrate] }), { said: undefined, calls: [] });
  });
  for (const [name, sentence] of [
    ["fetch", "Canceled the Job before its migration started."],
    ["restore-point", "Canceled the Job during its restore point. The database is unchanged."],
  ] as const) {
    it(`cancels it during init container ${name}`, async () => {
      const status = { initContainerStatuses: [container({ name, state: { running: {} } })] };
      const { said, calls } = await giveUp({}, status);
      assert.equal(said, sentence);
      assert.match(calls.join("\n"), /patch job\/job --type=merge --patch=.*activeDeadlineSeconds":1/);
    });
  }
});

describe("completeHeldJob", () => {
  const result = { done: true, progress: "container migrate succeeded", causes: [] };
  /** Completes a Job, and returns whether the wait is over and what kubectl was called with. */
  async function complete(sidecars: readonly string[], statusExitCode: number) {
    using fake = kubectlProgram(`#!/bin/sh
echo "$*" >> "$(dirname "$0")/calls"
case "$*" in *--subresource=status*) exit ${statusExitCode} ;; esac
`);
    const { done } = await completeHeldJob(fake.kubectl, "job", { ...result, held: { pod: "job-pod", sidecars } });
    const calls = readFileSync(join(fake.folder, "calls"), "utf8").trim().split("\n");
    return { done, calls };
  }

  it("sets the condition with which the Job ends its pod, and waits for its completion", async () => {
    const { done, calls } = await complete(["proxy"], 0);
    assert.deepEqual([done, calls.length], [false, 1]);
    assert.match(calls[0] ?? "", /patch job\/job --subresource=status .*"type":"SuccessCriteriaMet","status":"True"/);
  });
  it("marks a Job for which the API server refuses the condition", async () => {
    const { done, calls } = await complete(["proxy"], 1);
    assert.deepEqual([done, calls.length], [true, 2]);
    assert.match(calls[1] ?? "", /annotate --overwrite job\/job pulumi-alembic\/migrated=true$/);
  });
  it("marks a Job that has failed because of a sidecar", async () => {
    const { done, calls } = await complete([], 0);
    assert.deepEqual([done, calls.length], [true, 1]);
    assert.match(calls[0] ?? "", /annotate --overwrite job\/job pulumi-alembic\/migrated=true$/);
  });
});

describe("the outcome of a migration", () => {
  /** Returns the event that a wait records, and its error. */
  async function record(wait: () => Promise<void>, exitCode = 0) {
    using fake = kubectlProgram(`#!/bin/sh
case "$*" in *" create --filename=-") cat > "$(dirname "$0")/event" ;; esac
exit ${exitCode}
`);
    const job = () => ({ name: "job", uid: "u" });
    const error = await withRecordedOutcome(fake.kubectl, "n", job, wait).then(
      () => undefined,
      ({ message }: Error) => message,
    );
    const event = JSON.parse(readFileSync(join(fake.folder, "event"), "utf8"));
    return { error, event };
  }

  it("is an event of the Job", async () => {
    const { error, event } = await record(async () => {});
    const { involvedObject, type, reason } = event;
    assert.deepEqual([error, type, reason], [undefined, "Normal", "MigrationSucceeded"]);
    assert.deepEqual(involvedObject, { apiVersion: "batch/v1", kind: "Job", name: "job", namespace: "n", uid: "u" });
  });
  it("has the cause of a failure, shortened and without passwords", async () => {
    const cause = `postgresql://u:hunter2@h/d is down ${"x".repeat(2000)}`;
    const { error, event } = await record(() => Promise.reject(new Error(cause)));
    assert.deepEqual([error, event.type, event.reason], [cause, "Warning", "MigrationFailed"]);
    assert.equal(event.message.length, 1024);
    assert.doesNotMatch(event.message, /hunter2/);
  });
  it("is not recorded by an account that may not create events", async () => {
    assert.equal((await record(async () => {}, 1)).error, undefined);
  });
});
