import { InputPropertiesError, type InputPropertyErrorDetails } from "@pulumi/pulumi";
import { imagePullPolicies, type Timeouts, timeoutErrors } from "../../manifests/runner.ts";

/** What every migration takes. Plain values: they decide on the objects' names. */
export interface CommonArgs {
  /** Context of the kubeconfig. */
  context: string;
  /** Kubernetes namespace, which must be there. */
  namespace: string;
  /** The app's image. */
  image: string;
  /** IfNotPresent, Always or Never. The default is IfNotPresent. */
  imagePullPolicy?: string;
  /** Folder of alembic.ini and migrations.lock.json, relative to the program's. */
  appFolder: string;
  /** How long one statement may wait for a lock on a table. The default is 5. */
  lockTimeoutSeconds?: number;
  /** How long one statement may run. The default is 300. */
  statementTimeoutSeconds?: number;
  /** How long one Job may take. The default is 600. */
  deadlineSeconds?: number;
}

/** How long the update waits past a Job's own deadline, in seconds. */
const awaitMargin = 60;

/** @returns The time budget of the arguments, with what they leave out. */
export function timeoutsOf(args: CommonArgs): Timeouts {
  const { lockTimeoutSeconds = 5, statementTimeoutSeconds = 300, deadlineSeconds = 600 } = args;
  return {
    lockTimeoutSeconds,
    statementTimeoutSeconds,
    deadlineSeconds,
    awaitTimeoutSeconds: deadlineSeconds + awaitMargin,
  };
}

/** @returns What is wrong with an argument that has to be a text. */
export function textErrors(propertyPath: string, value: unknown): InputPropertyErrorDetails[] {
  if (typeof value === "string" && value !== "") return [];
  return [{ propertyPath, reason: `is ${JSON.stringify(value) ?? "missing"}: give it a text` }];
}

function secondsFaults(args: CommonArgs): InputPropertyErrorDetails[] {
  const given = timeoutErrors(timeoutsOf(args)).filter(({ name }) => name !== "awaitTimeoutSeconds");
  return given.map(({ name, seconds, bound }) => ({
    propertyPath: name,
    reason: `is ${seconds}: give it whole seconds, more than ${bound}`,
  }));
}

/**
 * Refuses arguments that no migration can be made of: programs in some languages don't check their types.
 *
 * @param own What is wrong with those of the component alone.
 * @throws {InputPropertiesError} That names every fault, and what is allowed.
 */
export function checkArguments(args: CommonArgs, own: readonly InputPropertyErrorDetails[]): void {
  const { context, namespace, image, appFolder, imagePullPolicy = "IfNotPresent" } = args;
  const texts = Object.entries({ context, namespace, image, appFolder });
  const errors = [...texts.flatMap(([name, value]) => textErrors(name, value)), ...secondsFaults(args), ...own];
  if (!imagePullPolicies.some((policy) => policy === imagePullPolicy)) {
    const reason = `is ${JSON.stringify(imagePullPolicy)}: one of ${imagePullPolicies.join(", ")} is allowed`;
    errors.push({ propertyPath: "imagePullPolicy", reason });
  }
  if (errors.length > 0)
    throw new InputPropertiesError({ message: "arguments that no migration can be made of", errors });
}
