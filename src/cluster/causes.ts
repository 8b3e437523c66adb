import { type ContainerStatus, containersOf, type Pod } from "./objects.ts";
import { isServing } from "./pods.ts";

type Terminated = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

/** What keeps a pod, a Job or a rollout from getting on. */
export interface Cause {
  /** The same for the same fault, whichever pod has it. */
  readonly key: string;
  /** What is wrong: one sentence, then what the container left behind. */
  readonly text: string;
  /** Seconds after which it is no use to wait; `Infinity` for what may mend itself at any time. */
  readonly patienceSeconds: number;
  /** Arguments with which kubectl shows more. */
  readonly poll: readonly string[];
  /** The log that tells what `text` can't. */
  readonly log?: Log;
}

/** A container's log: of what runs now, or of what ran before its last restart. */
interface Log {
  readonly pod: string;
  readonly container: string;
  readonly previous: boolean;
}

/** Seconds that a fault may last before it counts. A status may lag behind what has just been mended. */
const gracePeriod = {
  /** The registry may be out of reach for a moment. */
  pull: 30,
  /** A Secret, a ServiceAccount or room in a quota may be about to come. */
  rejection: 10,
  /** Kubernetes has yet to draw its own conclusion. */
  end: 10,
} as const;

/** Lines and characters of what a container left behind: an error's last lines say most. */
const tailLimit = { lines: 20, characters: 3000 } as const;

const pullReasons = ["ErrImagePull", "ImagePullBackOff"];
/** What a registry says of an image that is not there, or not for this cluster: no retry brings it. */
const hopelessPull = /not found|manifest unknown|does not exist|denied|unauthorized|authentication required/i;
const startingReasons = ["ContainerCreating", "PodInitializing"];

/** @returns The end of a text of many lines. */
export function tail(text: string): string {
  const lines = text.trim().split("\n").slice(-tailLimit.lines).join("\n");
  return lines.length > tailLimit.characters ? `…${lines.slice(-tailLimit.characters)}` : lines;
}

function withMessage(title: string, message: string | undefined): string {
  const text = tail(message ?? "");
  return text === "" ? `${title}.` : `${title}:${text.includes("\n") ? "\n" : " "}${text}`;
}

/**
 * Says what is wrong with a pod.
 *
 * @param restarts Whether Kubernetes starts ended containers again, as it does those of a Deployment.
 * @returns Nothing for a pod that serves or gets on.
 */
export function podCauses(pod: Pod, restarts: boolean): readonly Cause[] {
  if (isServing(pod)) return [];
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
  const causes = [
    ...unscheduled(pod),
    ...initContainerStatuses.flatMap((status) => containerCauses(pod, status, restarts, true)),
    ...containerStatuses.flatMap((status) => containerCauses(pod, status, restarts, false)),
  ];
  return causes.length > 0 ? causes : evicted(pod);
}

function describe({ metadata }: Pod): readonly string[] {
  return ["describe", `pod/${metadata.name}`];
}

function unscheduled(pod: Pod): Cause[] {
  const scheduled = pod.status.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status !== "False") return [];
  const text = withMessage(`pod ${pod.metadata.name} can't be scheduled [${scheduled.reason}]`, scheduled.message);
  return [{ key: "unschedulable", text, patienceSeconds: Number.POSITIVE_INFINITY, poll: describe(pod) }];
}

/** A pod that Kubernetes ended as a whole: the node ran out of something, or went. */
function evicted(pod: Pod): Cause[] {
  const { phase, reason = "Failed", message } = pod.status;
  if (phase !== "Failed") return [];
  const text = withMessage(`pod ${pod.metadata.name} was ended [${reason}]`, message);
  return [{ key: reason, text, patienceSeconds: Number.POSITIVE_INFINITY, poll: describe(pod) }];
}

function containerCauses(pod: Pod, status: ContainerStatus, restarts: boolean, init: boolean): Cause[] {
  const { state = {}, lastState = {}, restartCount } = status;
  const { waiting, terminated } = state;
  if (terminated?.exitCode === 0) return [];
  const ended = terminated ?? (lastState.terminated?.exitCode === 0 ? undefined : lastState.terminated);
  if (ended !== undefined) return [endedCause(pod, status, ended, restarts, init)];
  if (waiting?.reason !== undefined && !startingReasons.includes(waiting.reason)) {
    return [waitingCause(pod, status, waiting.reason, waiting.message)];
  }
  if (init || state.running === undefined || status.ready === true) return [];
  const text = `container "${status.name}" of pod ${pod.metadata.name} runs, but is not ready`;
  const log = { pod: pod.metadata.name, container: status.name, previous: restartCount > 0 };
  const patienceSeconds = Number.POSITIVE_INFINITY;
  return [{ key: `unready ${status.name}`, text, patienceSeconds, poll: commandOf(log), log }];
}

/** Arguments with which kubectl shows a log. */
export function commandOf({ pod, container, previous }: Log): readonly string[] {
  return ["logs", `pod/${pod}`, `--container=${container}`, ...(previous ? ["--previous"] : [])];
}

function waitingCause(pod: Pod, status: ContainerStatus, reason: string, message: string | undefined): Cause {
  const of = `container "${status.name}" of pod ${pod.metadata.name}`;
  const poll = describe(pod);
  if (pullReasons.includes(reason)) {
    const text = withMessage(`${of}: image ${status.image} can't be pulled [${reason}]`, message);
    const patienceSeconds = hopelessPull.test(message ?? "") ? 0 : gracePeriod.pull;
    return { key: `pull ${status.image}`, text, patienceSeconds, poll };
  }
  const text = withMessage(`${of} can't be started [${reason}]`, message);
  const patienceSeconds = /^(InvalidImageName|ErrImageNeverPull)$/.test(reason) ? 0 : gracePeriod.rejection;
  return { key: `${reason} ${status.name}`, text, patienceSeconds, poll };
}

/**
 * A container that ended badly. The runner retries by itself what time mends, so its first end is its last word; an app
 * may have come up before what it needs, and gets a second start.
 */
function endedCause(pod: Pod, status: ContainerStatus, ended: Terminated, restarts: boolean, init: boolean): Cause {
  const { name, restartCount, state } = status;
  const of = `container "${name}" of pod ${pod.metadata.name}`;
  const again = restarts && !init;
  const crashed = restartCount >= 2 || state?.waiting?.reason === "CrashLoopBackOff";
  const how =
    ended.reason === "OOMKilled"
      ? `ran out of memory [OOMKilled], its limit is ${memoryLimit(pod, name)}`
      : `ended with exit code ${ended.exitCode} [${ended.reason ?? "Error"}]`;
  const log = { pod: pod.metadata.name, container: name, previous: state?.terminated === undefined };
  return {
    key: `end ${name}`,
    text: withMessage(`${of} ${how}${again && crashed ? ", again and again" : ""}`, ended.message),
    patienceSeconds: again ? (crashed ? 0 : Number.POSITIVE_INFINITY) : restarts ? 0 : gracePeriod.end,
    poll: commandOf(log),
    ...((ended.message ?? "").trim() === "" ? { log } : {}),
  };
}

function memoryLimit({ spec }: Pod, container: string): string {
  return containersOf(spec).find(({ name }) => name === container)?.resources?.limits?.memory ?? "the node's memory";
}

/**
 * A pod that Kubernetes was not allowed to make: a quota, pod security, an admission webhook.
 *
 * @param what Whose pod.
 */
export function rejectedPod(what: string, message: string, poll: readonly string[]): Cause {
  const patienceSeconds = /forbidden|invalid/i.test(message) ? gracePeriod.rejection : Number.POSITIVE_INFINITY;
  return { key: "refused", text: `${what} gets no pod: ${message}`, patienceSeconds, poll };
}
