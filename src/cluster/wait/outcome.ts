import { messageOf } from "../../printable.ts";
import { type Kubectl, redact } from "../kubectl.ts";

/** Job that an event is about. */
interface EventJob {
  readonly name: string;
  /** Absent if the Job was never found. */
  readonly uid: string | undefined;
}

/** Characters of a message that the API server accepts (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/). */
const messageLimit = 1024;

/**
 * Runs the wait for a migration Job, and records its outcome as an event of the Job, which `kubectl describe` and collectors of
 * events show. An account that may not create events records nothing.
 *
 * @throws {Error} The wait's own error.
 */
export async function withRecordedOutcome(
  kubectl: Kubectl,
  namespace: string,
  job: () => EventJob,
  wait: () => Promise<void>,
): Promise<void> {
  const record = (type: "Normal" | "Warning", reason: string, message: string) => {
    const event = eventOf(namespace, job(), type, reason, message);
    return kubectl.run(["create", "--filename=-"], JSON.stringify(event)).catch(() => {});
  };
  try {
    await wait();
  } catch (error) {
    await record("Warning", "MigrationFailed", redact(messageOf(error)));
    throw error;
  }
  await record("Normal", "MigrationSucceeded", "The database has the schema of this release");
}

function eventOf(namespace: string, { name, uid }: EventJob, type: string, reason: string, message: string): object {
  const now = new Date().toISOString();
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${name}.${Date.now().toString(16)}`, namespace },
    involvedObject: { apiVersion: "batch/v1", kind: "Job", name, namespace, uid },
    type,
    reason,
    message: message.slice(0, messageLimit),
    source: { component: "pulumi-alembic" },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  };
}
