import { PolicyPack, type ResourceValidationPolicy, type StackValidationPolicy } from "@pulumi/policy";
import { rules } from "./rules.ts";
import { workloadsWithoutWait } from "./waits.ts";

const resourcePolicies = rules.map(
  ({ name, description, violations }): ResourceValidationPolicy => ({
    name,
    description,
    validateResource: (resource, report) => {
      for (const message of violations(resource)) report(message);
    },
  }),
);

const missingWait: StackValidationPolicy = {
  name: "missing-wait",
  description: "A workload that Pulumi doesn't wait for (pulumi.com/skipAwait) must have a wait command.",
  validateStack: ({ resources }, report) => {
    for (const { name, urn } of workloadsWithoutWait(resources)) report(`${name} has no wait command`, urn);
  },
};

// Every policy is mandatory: the pack doesn't guess what a stack is for. `--policy-pack-config` lowers a level.
new PolicyPack("pulumi-alembic", { enforcementLevel: "mandatory", policies: [...resourcePolicies, missingWait] });
