import type { Change } from "./diff.ts";
import type { Value } from "./values.ts";

export type StepKind = "same" | "create" | "update" | "replace" | "delete";
/** One resource's step, done, planned or failed. */
export interface Step {
  readonly op: StepKind;
  readonly urn: string;
  readonly type: string;
  readonly changes: readonly Change[];
  readonly seconds: number;
  readonly error?: string;
}

export type Severity = "debug" | "info" | "warning" | "error";
/** What happens in an update, for whoever shows it. */
export interface Events {
  step(step: Step): void;
  status(urn: string, message: string): void;
  log(severity: Severity, message: string, urn?: string): void;
  /** From now on, the secrets in `value` are not to be shown. */
  learn(value: Value): void;
}

/** @returns The last part of a URN: the resource's name. */
export const nameOf = (urn: string): string => urn.split("::").at(-1) ?? urn;
