import { type ContainerStatus, containersOf, isSidecar, type Pod } from "./objects.ts";
import { isServing } from "./pods.ts";

/** Problem that keeps a pod, a Job, or a rollout from getting ready. */
export interface Cause {
  /** Identity of the problem, the same for every pod that has it. */
  readonly key: string;
  /** The problem as one sentence, then the container's termination message. */
  readonly text: string;
  /** Seconds after which the problem counts as permanent; `Infinity` if it may disappear at any time. */
  readonly gracePeriodSeconds: number;
  /** Arguments with which kubectl shows more. */
  readonly kubectlArgs: readonly string[];
  /** The log to show where `text` has no termination message. */
  readonly log?: Log;
}

/** Log of a container. */
interface Log {
  readonly pod: string;
  readonly container: string;
  /** Whether it is the log of the run before the last restart. */
  readonly previous: boolean;
}

type Terminated = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

/** Grace periods in seconds: a status may lag behind a fix. */
const gracePeriod = {
  /** The registry may be unreachable for a moment. */
  pull: 30,
  /** A Secret, a ServiceAccount, or room in a quota may be about to appear. */
  rejection: 10,
  /** The Job's controller has yet to set the Job's conditions. */
  exit: 10,
} as const;

/** Limits of a log's or message's tail; the last lines of an error matter most. */
const tailLimit = { lines: 20, characters: 3000 } as const;

const pullReasons = ["ErrImagePull", "ImagePullBackOff"];
/** Errors of a registry about an image that is missing or not for this platform. */
const permanentPullError = /not found|manifest unknown|does not exist|denied|unauthorized|authentication required/i;
const startingReasons = ["ContainerCreating", "PodInitializing"];

/** Returns the last lines of a text. */
export function tail(text: string): string {
  const lines = text.trim().split("\n").slice(-tailLimit.lines).join("\n");
  return lines.length > tailLimit.characters ? `…${lines.slice(-tailLimit.characters)}` : lines;
}

function withMessage(title: string, message: string | undefined): string {
  const text = tail(message ?? "");
  return text === "" ? `${title}.` : `${title}:${text.includes("\n") ? "\n" : " "}${text}`;
}

/**
 * Finds the problems of a pod.
 *
 * @param restarts - Whether Kubernetes restarts its containers, as it does for a Deployment.
 * @param decisive - Container that decides on the pod: what keeps others from running, such as sidecars, is reported, but
 *   never permanent. By default, all decide.
 * @returns Nothing for a pod that serves or makes progress.
 */
export function podCauses(pod: Pod, restarts: boolean, decisive?: string): readonly Cause[] {
  if (isServing(pod)) return [];
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
  const causesOf = (status: ContainerStatus, init: boolean) => {
    const isNative = init && isSidecar(pod, status.name);
    const causes = containerCauses(pod, status, restarts || isNative, init && !isNative);
    const isOther = isNative || (!init && decisive !== undefined && status.name !== decisive);
    return isOther ? causes.map((cause) => ({ ...cause, gracePeriodSeconds: Number.POSITIVE_INFINITY })) : causes;
  };
  const causes = [
    ...unschedulable(pod),
    ...initContainerStatuses.flatMap((status) => causesOf(status, true)),
    ...containerStatuses.flatMap((status) => causesOf(status, false)),
  ];
  return causes.length > 0 ? causes : evicted(pod);
}

function describe({ metadata }: Pod): readonly string[] {
  return ["describe", `pod/${metadata.name}`];
}

function unschedulable(pod: Pod): Cause[] {
  const scheduled = pod.status.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status !== "False") return [];
  const text = withMessage(`pod ${pod.metadata.name} can't be scheduled [${scheduled.reason}]`, scheduled.message);
  return [{ key: "unschedulable", text, gracePeriodSeconds: Number.POSITIVE_INFINITY, kubectlArgs: describe(pod) }];
}

/** Returns the cause of a pod that failed as a whole: its node ran out of a resource, or is gone. */
function evicted(pod: Pod): Cause[] {
  const { phase, reason = "Failed", message } = pod.status;
  if (phase !== "Failed") return [];
  const text = withMessage(`pod ${pod.metadata.name} failed [${reason}]`, message);
  return [{ key: reason, text, gracePeriodSeconds: Number.POSITIVE_INFINITY, kubectlArgs: describe(pod) }];
}

function containerCauses(pod: Pod, status: ContainerStatus, restarts: boolean, init: boolean): Cause[] {
  const { state = {}, lastState = {}, restartCount } = status;
  const { waiting, terminated } = state;
  if (terminated?.exitCode === 0) return [];
  const failed = terminated ?? (lastState.terminated?.exitCode === 0 ? undefined : lastState.terminated);
  if (failed !== undefined) return [exitCause(pod, status, failed, restarts, init)];
  if (waiting?.reason !== undefined && !startingReasons.includes(waiting.reason)) {
    return [waitingCause(pod, status, waiting.reason, waiting.message)];
  }
  if (init || state.running === undefined || status.ready) return [];
  const text = `container "${status.name}" in pod ${pod.metadata.name} is running but not ready`;
  const log = { pod: pod.metadata.name, container: status.name, previous: restartCount > 0 };
  const gracePeriodSeconds = Number.POSITIVE_INFINITY;
  return [{ key: `unready ${status.name}`, text, gracePeriodSeconds, kubectlArgs: logArgs(log), log }];
}

/** Returns the arguments with which kubectl shows a log. */
export function logArgs({ pod, container, previous }: Log): readonly string[] {
  const args = ["logs", `pod/${pod}`, `--container=${container}`];
  if (previous) args.push("--previous");
  return args;
}

function waitingCause(pod: Pod, status: ContainerStatus, reason: string, message: string | undefined): Cause {
  const container = `container "${status.name}" in pod ${pod.metadata.name}`;
  const kubectlArgs = describe(pod);
  if (pullReasons.includes(reason)) {
    const text = withMessage(`${container} can't pull image ${status.image} [${reason}]`, message);
    const gracePeriodSeconds = permanentPullError.test(message ?? "") ? 0 : gracePeriod.pull;
    return { key: `pull ${status.image}`, text, gracePeriodSeconds, kubectlArgs };
  }
  const text = withMessage(`${container} can't start [${reason}]`, message);
  const gracePeriodSeconds = /^(InvalidImageName|ErrImageNeverPull)$/.test(reason) ? 0 : gracePeriod.rejection;
  return { key: `${reason} ${status.name}`, text, gracePeriodSeconds, kubectlArgs };
}

/** Returns the cause of a container that failed. */
function exitCause(pod: Pod, status: ContainerStatus, failed: Terminated, restarts: boolean, init: boolean): Cause {
  const { name, restartCount, state } = status;
  const isApp = restarts && !init;
  const isCrashLoop = isApp && (restartCount >= 2 || state?.waiting?.reason === "CrashLoopBackOff");
  const exit =
    failed.reason === "OOMKilled"
      ? `ran out of memory [OOMKilled], limit ${memoryLimit(pod, name)}`
      : `exited with code ${failed.exitCode} [${failed.reason ?? "Error"}]`;
  const title = `container "${name}" in pod ${pod.metadata.name} ${exit}${isCrashLoop ? " repeatedly" : ""}`;
  const log = { pod: pod.metadata.name, container: name, previous: state?.terminated === undefined };
  const cause = {
    key: `exit ${name}`,
    text: withMessage(title, failed.message),
    gracePeriodSeconds: exitGracePeriod(restarts, isApp, isCrashLoop),
    kubectlArgs: logArgs(log),
  };
  return (failed.message ?? "").trim() === "" ? { ...cause, log } : cause;
}

/**
 * Returns the grace period of a container that failed. The runner retries transient errors itself, so its first
 * exit is final; an app may have started before what it needs, and gets a second start.
 */
function exitGracePeriod(restarts: boolean, isApp: boolean, isCrashLoop: boolean): number {
  if (!restarts) return gracePeriod.exit;
  return isApp && !isCrashLoop ? Number.POSITIVE_INFINITY : 0;
}

function memoryLimit({ spec }: Pod, container: string): string {
  return containersOf(spec).find(({ name }) => name === container)?.resources?.limits?.memory ?? "none";
}

/**
 * Returns the cause of a pod that the API server rejected: a quota, pod security, or an admission webhook.
 *
 * @param owner - Kind and name of the pod's owner.
 */
export function rejectedPod(owner: string, message: string, kubectlArgs: readonly string[]): Cause {
  const gracePeriodSeconds = /forbidden|invalid/i.test(message) ? gracePeriod.rejection : Number.POSITIVE_INFINITY;
  return { key: "rejected", text: `${owner} can't create a pod: ${message}`, gracePeriodSeconds, kubectlArgs };
}
