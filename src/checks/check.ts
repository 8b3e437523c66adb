import type { PodFacts } from "./pod-facts.ts";
import type { CheckFinding, Expected } from "./result.ts";
import type { Sources } from "./sources.ts";

/** One verification of a deployed release. */
export interface Check {
  /** What it proves, in one sentence. */
  readonly title: string;
  /** What a person would type to see the same. */
  command(expected: Expected): string;
  /** What the backend's pod has to be asked for it, if anything. */
  readonly inPod?: keyof PodFacts;
  /** Looks at the sources; an error that it throws is a failed check. */
  run(sources: Sources, expected: Expected): Promise<CheckFinding>;
}
