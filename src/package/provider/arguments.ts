import { InputPropertiesError, type InputPropertyErrorDetails } from "@pulumi/pulumi";
import { imagePullPolicies, type Timeouts, timeoutErrors } from "../../manifests/runner.ts";

/** Arguments of every migration. Plain values: they determine the objects' names. */
export interface CommonArgs {
  /** Context of the kubeconfig. */
  context: string;
  /** Existing Kubernetes namespace. */
  namespace: string;
  /** Image of the app. */
  image: string;
  /** IfNotPresent, Always, or Never. The default is IfNotPresent. */
  imagePullPolicy?: string;
  /** Folder of alembic.ini and migrations.lock.json, relative to the folder of the program. */
  appFolder: string;
  /** Seconds for which a statement may wait for a table lock. The default is 5. */
  lockTimeoutSeconds?: number;
  /** Seconds for which a statement may run. The default is 300. */
  statementTimeoutSeconds?: number;
  /** Seconds for which a Job may run. The default is 600. */
  deadlineSeconds?: number;
}

/** Seconds for which the update waits past a Job's own deadline. */
const awaitMarginSeconds = 60;

/** Returns the timeouts of the arguments, with defaults. */
export function timeoutsOf(args: CommonArgs): Timeouts {
  const { lockTimeoutSeconds = 5, statementTimeoutSeconds = 300, deadlineSeconds = 600 } = args;
  return {
    lockTimeoutSeconds,
    statementTimeoutSeconds,
    deadlineSeconds,
    awaitTimeoutSeconds: deadlineSeconds + awaitMarginSeconds,
  };
}

/** Returns the error of an argument with an invalid value. */
export function invalid(propertyPath: string, value: unknown, allowed: string): InputPropertyErrorDetails {
  const given = value === undefined ? "missing" : `invalid value ${JSON.stringify(value)}`;
  return { propertyPath, reason: `${given}: must be ${allowed}` };
}

/** Returns the errors of an argument that must be a non-empty string. */
export function stringErrors(propertyPath: string, value: unknown): InputPropertyErrorDetails[] {
  if (typeof value === "string" && value !== "") return [];
  return [invalid(propertyPath, value, "a non-empty string")];
}

/**
 * Validates arguments: programs in some languages don't check their types.
 *
 * @param own - Errors of the component's own arguments.
 * @throws {InputPropertiesError} With every error, and what is allowed.
 */
export function checkArguments(args: CommonArgs, own: readonly InputPropertyErrorDetails[]): void {
  const { context, namespace, image, appFolder, imagePullPolicy = "IfNotPresent" } = args;
  const errors: InputPropertyErrorDetails[] = [];
  for (const [name, value] of Object.entries({ context, namespace, image, appFolder }))
    errors.push(...stringErrors(name, value));
  for (const { name, seconds, bound } of timeoutErrors(timeoutsOf(args)))
    if (name !== "awaitTimeoutSeconds") errors.push(invalid(name, seconds, `an integer greater than ${bound}`));
  errors.push(...own);
  if (!imagePullPolicies.some((policy) => policy === imagePullPolicy))
    errors.push(invalid("imagePullPolicy", imagePullPolicy, `one of ${imagePullPolicies.join(", ")}`));
  if (errors.length > 0) throw new InputPropertiesError({ message: "invalid arguments", errors });
}
