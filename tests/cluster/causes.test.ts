import assert from "node:assert/strict";
import { podCauses, rejectedPod, tail } from "../../src/cluster/causes.ts";
import type { ContainerStatus, Pod } from "../../src/cluster/objects.ts";
import { container, pod, servingPod } from "../support/kubernetes.ts";

const never = Number.POSITIVE_INFINITY;
const ended = (exitCode: number, message = "", reason = "Error") => ({ terminated: { exitCode, reason, message } });
const waiting = (reason: string, message?: string) => ({ waiting: { reason, message } });
const app = (...given: Partial<ContainerStatus>[]): Pod["status"] => ({ containerStatuses: given.map(container) });
const init = (given: Partial<ContainerStatus>): Pod["status"] => ({
  initContainerStatuses: [container({ name: "migrate", ...given })],
  containerStatuses: [container({ state: waiting("PodInitializing") })],
});
const unschedulable = {
  conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes have room" }],
};

/** Subject, status, whether Kubernetes restarts containers, the cause's text, and its grace period. */
const table: [string, Pod["status"], boolean, RegExp, number][] = [
  [
    "an init container that failed, with its message",
    init({ state: ended(1, "Revision ninth (Ninth) failed\ndivision by zero") }),
    true,
    /^container "migrate" in pod rs2-pod exited with code 1 \[Error\]:\nRevision ninth \(Ninth\) failed\ndivision/,
    0,
  ],
  [
    "an init container that failed and is retried",
    init({ state: { running: {} }, lastState: ended(1, "no"), restartCount: 1 }),
    true,
    /exited with code 1 \[Error\]: no$/,
    0,
  ],
  ["a Job's container that failed", app({ state: ended(7, "why") }), false, /exited with code 7 \[Error\]: why$/, 10],
  [
    "a container that ran out of memory",
    app({ state: ended(137, "", "OOMKilled") }),
    false,
    /ran out of memory \[OOMKilled\], limit 512Mi\.$/,
    10,
  ],
  [
    "an app that crashed once",
    app({ lastState: ended(1), restartCount: 1 }),
    true,
    /exited with code 1 \[Error\]\.$/,
    never,
  ],
  [
    "an app that crashes repeatedly",
    app({ lastState: ended(3), restartCount: 2 }),
    true,
    /exited with code 3 \[Error\] repeatedly\.$/,
    0,
  ],
  [
    "an app in CrashLoopBackOff",
    app({ state: waiting("CrashLoopBackOff", "back-off"), lastState: ended(3, "boom"), restartCount: 1 }),
    true,
    /repeatedly: boom$/,
    0,
  ],
  [
    "an image that is missing in the registry",
    app({ state: waiting("ErrImagePull", "localhost/app:1: not found") }),
    true,
    /can't pull image localhost\/app:1 \[ErrImagePull\]: localhost\/app:1: not found$/,
    0,
  ],
  [
    "an unreachable registry",
    app({ state: waiting("ImagePullBackOff", "connection refused") }),
    true,
    /can't pull image localhost\/app:1 \[ImagePullBackOff\]: connection refused$/,
    30,
  ],
  [
    "an invalid image name",
    app({ state: waiting("InvalidImageName") }),
    false,
    /can't start \[InvalidImageName\]\.$/,
    0,
  ],
  [
    "an image that may not be pulled",
    app({ state: waiting("ErrImageNeverPull", "not present") }),
    false,
    /ErrImageNeverPull\]: not present$/,
    0,
  ],
  [
    "a Secret that is missing",
    init({ state: waiting("CreateContainerConfigError", 'secret "s" not found') }),
    true,
    /container "migrate" .* can't start \[CreateContainerConfigError\]: secret "s" not found$/,
    10,
  ],
  ["an unschedulable pod", unschedulable, true, /be scheduled \[Unschedulable\]: 0\/1 nodes have/, never],
  [
    "an evicted pod",
    { phase: "Failed", reason: "Evicted", message: "disk pressure" },
    false,
    /failed \[Evicted\]: disk pressure$/,
    never,
  ],
  [
    "an app that is running but not ready",
    app({ state: { running: {} }, ready: false }),
    true,
    /"app" .* is running but not ready$/,
    never,
  ],
];

/** Pods without a cause. */
const quiet: [string, Pod][] = [
  ["a serving pod after restarts", { ...servingPod("rs2"), ...app({ restartCount: 9 }) }],
  ["a pod whose containers are being created", pod("rs2", app({ state: waiting("ContainerCreating") }))],
  [
    "an init container that succeeded at its second attempt",
    pod("rs2", init({ state: ended(0), lastState: ended(1, "no") })),
  ],
  ["a running init container", pod("rs2", init({ state: { running: {} } }))],
  ["a Job's pod that succeeded", pod("job", { phase: "Succeeded", ...app({ state: ended(0) }) })],
];

describe("podCauses", () => {
  for (const [what, status, restarts, text, gracePeriodSeconds] of table) {
    it(`names ${what}`, () => {
      const [cause, ...others] = podCauses(pod("rs2", status), restarts);
      assert.match(cause?.text ?? "nothing", text);
      assert.deepEqual([cause?.gracePeriodSeconds, others], [gracePeriodSeconds, []]);
    });
  }
  for (const [what, healthy] of quiet) {
    it(`finds no cause in ${what}`, () => assert.deepEqual(podCauses(healthy, true), []));
  }
  it("has the same key for a failed pull and its back-off", () => {
    const keys = ["ErrImagePull", "ImagePullBackOff"].map(
      (reason) => podCauses(pod("rs2", app({ state: waiting(reason, "refused") })), true)[0]?.key,
    );
    assert.equal(keys[0], keys[1]);
  });
  it("reads the log of a container without a message, the previous one after a restart", () => {
    const looks = [app({ state: ended(1) }), app({ lastState: ended(1), restartCount: 2 })].map((status) => {
      const [cause] = podCauses(pod("rs2", status), true);
      return [cause?.log?.previous, cause?.kubectlArgs.join(" ")];
    });
    assert.deepEqual(looks, [
      [false, "logs pod/rs2-pod --container=app"],
      [true, "logs pod/rs2-pod --container=app --previous"],
    ]);
  });
});

describe("rejectedPod", () => {
  it("has a grace period for quota and pod security, and none for a webhook", () => {
    const gracePeriod = (message: string) => rejectedPod("Job x", message, []).gracePeriodSeconds;
    assert.equal(gracePeriod('pods "x" is forbidden: exceeded quota: q'), 10);
    assert.equal(gracePeriod('pods "x" is forbidden: violates PodSecurity "restricted:latest"'), 10);
    assert.equal(gracePeriod("Internal error occurred: failed calling webhook"), never);
  });
});

describe("tail", () => {
  it("keeps the last lines of many, and the end of a very long one", () => {
    assert.equal(tail("a\nb\n"), "a\nb");
    assert.equal(tail(Array.from({ length: 90 }, (_, n) => n).join("\n")).split("\n")[0], "70");
    assert.equal(tail(`${"x".repeat(5000)}end`).slice(-4), "xend");
    assert.ok(tail("x".repeat(5000)).length < 3100);
  });
});
