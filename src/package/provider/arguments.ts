import { type Input, InputPropertiesError, type InputPropertyErrorDetails, Output } from "@pulumi/pulumi";
import { valueError } from "../../lockfile/shape.ts";
import { imagePullPolicies } from "../../manifests/runner.ts";
import { defaultTimeouts, type Timeouts, timeoutErrors } from "../../manifests/timeouts.ts";

/** Value for which the schema of a package has no type: fields of Kubernetes, and data of different forms. */
// biome-ignore lint/suspicious/noExplicitAny: the SDK derives the schema's `Any` from it alone
export type AnyJson = any;

/** Arguments of every migration. They are plain values, because the names of the objects depend on them. */
export interface CommonArgs {
  /** Kubeconfig context. Defaults to the kubeconfig's current context. */
  context?: string;
  /** Content of a kubeconfig. Defaults to the one that kubectl finds or, in a pod without one, the pod's service account. */
  kubeconfig?: Input<string>;
  /** Name of the app, at most 23 characters, different from that of other apps of the namespace. */
  name: string;
  /** Existing Kubernetes namespace. */
  namespace: string;
  /** Image pull policy: IfNotPresent, Always, or Never. Defaults to IfNotPresent. */
  imagePullPolicy?: string;
  /** Folder of the app with migrations.lock.json, relative to the program's. */
  appFolder: string;
  /** Seconds that one statement may wait for a table lock. Defaults to 5. */
  lockTimeoutSeconds?: number;
  /** Seconds that one statement may take. Defaults to 300. */
  statementTimeoutSeconds?: number;
  /** Seconds that one migration may take once its container runs, including retries. Defaults to 600. */
  deadlineSeconds?: number;
}

/** Returns the timeouts of a migration, with defaults. */
export function timeoutsOf(args: CommonArgs): Timeouts {
  const { lockTimeoutSeconds, statementTimeoutSeconds, deadlineSeconds } = args;
  return defaultTimeouts({ lockTimeoutSeconds, statementTimeoutSeconds, deadlineSeconds });
}

/** Returns an error for a value that is not allowed. */
export function argumentError(propertyPath: string, value: unknown, allowed: string): InputPropertyErrorDetails {
  if (value === undefined) return { propertyPath, reason: `required: must be ${allowed}` };
  return { propertyPath, reason: valueError("value", value, allowed) };
}

/** Returns an error unless a value is a string that is not empty. */
export function stringErrors(propertyPath: string, value: unknown): InputPropertyErrorDetails[] {
  if (typeof value === "string" && value !== "") return [];
  return [argumentError(propertyPath, value, "a non-empty string")];
}

/** Returns an error unless a value is a string that is not empty, or an output. */
export function inputErrors(propertyPath: string, value: unknown): InputPropertyErrorDetails[] {
  return Output.isInstance(value) ? [] : stringErrors(propertyPath, value);
}

/** Returns an error unless a value is missing or allowed. */
export function oneOfErrors(path: string, value: unknown, allowed: readonly string[]): InputPropertyErrorDetails[] {
  if (value === undefined || allowed.some((each) => each === value)) return [];
  return [argumentError(path, value, `one of ${allowed.join(", ")}`)];
}

/**
 * Validates the arguments of a migration, which programs in some languages don't type-check.
 *
 * @param ownErrors - Errors in arguments that only one component has.
 * @throws {InputPropertiesError} If arguments are invalid; it lists all of them.
 */
export function validateArguments(args: CommonArgs, ownErrors: readonly InputPropertyErrorDetails[]): void {
  const { context = "current", name, namespace, appFolder, imagePullPolicy } = args;
  const errors: InputPropertyErrorDetails[] = [];
  for (const [key, value] of Object.entries({ context, name, namespace, appFolder }))
    errors.push(...stringErrors(key, value));
  for (const { name, seconds, bound } of timeoutErrors(timeoutsOf(args))) {
    // Derived from the deadline, so its error is the deadline's.
    if (name !== "awaitTimeoutSeconds") errors.push(argumentError(name, seconds, `an integer greater than ${bound}`));
  }
  errors.push(...ownErrors);
  errors.push(...oneOfErrors("imagePullPolicy", imagePullPolicy, imagePullPolicies));
  if (errors.length > 0) throw new InputPropertiesError({ message: "invalid arguments", errors });
}
