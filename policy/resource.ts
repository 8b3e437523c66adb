import type { V1JobSpec, V1PodSpec } from "@kubernetes/client-node";
import type { PolicyResource } from "@pulumi/policy";

/** Part of a resource that the rules read. */
export type Resource = Pick<PolicyResource, "type" | "name" | "props">;

/** Returns the pod specs of a Pod, a workload, a CronJob, or a custom resource of the same form. */
export function podSpecsOf({ props }: Resource): V1PodSpec[] {
  const { spec, template } = props;
  const specs = [spec, spec?.template?.spec, spec?.jobTemplate?.spec?.template?.spec, template?.spec];
  return specs.filter((each) => Array.isArray(each?.containers));
}

/** Returns the spec of a Job, or of the Jobs that a CronJob creates. */
export function jobSpecsOf({ type, props }: Resource): Partial<V1JobSpec>[] {
  if (!type.startsWith("kubernetes:batch/")) return [];
  if (type.endsWith(":Job")) return [props.spec ?? {}];
  if (type.endsWith(":CronJob")) return [props.spec?.jobTemplate?.spec ?? {}];
  return [];
}
