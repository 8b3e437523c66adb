import type { Kubectl } from "../cluster/kubectl.ts";
import type { Expected, Finding } from "./result.ts";

/** One verification of a deployed release. */
export interface Check {
  /** What it proves, in one sentence. */
  readonly title: string;
  /** What a person would type to see the same. */
  command(expected: Expected): string;
  /** Looks at the cluster; an error that it throws is a failed check. */
  run(kubectl: Kubectl, expected: Expected): Promise<Finding>;
}
