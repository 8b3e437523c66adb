import assert from "node:assert/strict";
import type { V1Container, V1SecurityContext } from "@kubernetes/client-node";
import { unknownCheckingProxy } from "@pulumi/policy";
import { runtime } from "@pulumi/pulumi";
import type { Resource } from "../../policy/resource.ts";
import { rules } from "../../policy/rules.ts";
import { container, job } from "./support.ts";

const withContainer = (changes: Partial<V1Container>) => job({}, { containers: [{ ...container, ...changes }] });
const withSecurityContext = (changes: V1SecurityContext) =>
  withContainer({ securityContext: { ...container.securityContext, ...changes } });
const ofType = (type: string, props: Resource["props"]): Resource => ({ type, name: "test", props });
const configMap = (text: string) => ofType("kubernetes:core/v1:ConfigMap", { data: { "chain.json": text } });
const { spec: jobSpec } = job().props;
const podSpec = jobSpec.template.spec;
const url = "postgresql://u:hunter2@db/unity";

/** Returns the messages of each rule that a resource violates, by the rule's name. */
function violationsOf(resource: Resource): Record<string, string[]> {
  const entries = rules.map(({ name, violations }) => [name, violations(resource)] as const);
  return Object.fromEntries(entries.filter(([, messages]) => messages.length > 0));
}

const rejected: Readonly<Record<string, readonly (readonly [what: string, resource: Resource, message: RegExp])[]>> = {
  "floating-image": [
    ["an image without a tag", withContainer({ image: "registry.example/unity" }), /"registry.example\/unity" is not/],
    ["the tag latest", withContainer({ image: "registry.example:5000/unity:latest" }), /unity:latest" is not pinned/],
    ["a version tag", withContainer({ image: "registry.example/unity:1.0" }), /unity:1.0" is not pinned by digest/],
    ["a container without an image", withContainer({ image: undefined }), /image "" is not pinned by digest/],
    [
      "a tag in an init container",
      job({}, { initContainers: [{ ...container, name: "init", image: "unity:1.0" }] }),
      /^container init: image "unity:1.0"/,
    ],
    [
      "a tag in a bare Pod",
      ofType("kubernetes:core/v1:Pod", { spec: { ...podSpec, containers: [{ ...container, image: "unity:1.0" }] } }),
      /unity:1.0/,
    ],
  ],
  "job-deadline": [
    ["a Job without a deadline", job({ activeDeadlineSeconds: undefined }), /must set spec.activeDeadlineSeconds/],
    ["a deadline of 0", job({ activeDeadlineSeconds: 0 }), /to more than 0/],
    [
      "a CronJob whose Jobs have no deadline",
      ofType("kubernetes:batch/v1:CronJob", { spec: { jobTemplate: { spec: { template: { spec: podSpec } } } } }),
      /must set spec.activeDeadlineSeconds/,
    ],
  ],
  "job-ttl": [
    ["a Job with a TTL", job({ ttlSecondsAfterFinished: 60 }), /must not set spec.ttlSecondsAfterFinished/],
    ["a TTL of 0", job({ ttlSecondsAfterFinished: 0 }), /must not set spec.ttlSecondsAfterFinished/],
  ],
  "literal-credential": [
    [
      "a password as a value",
      withContainer({ env: [{ name: "POSTGRES_PASSWORD", value: "x" }] }),
      /^container main: env POSTGRES_PASSWORD has a literal value/,
    ],
    [
      "a token as a value in a CronJob",
      ofType("kubernetes:batch/v1:CronJob", {
        spec: {
          jobTemplate: {
            spec: {
              ...jobSpec,
              template: {
                spec: { ...podSpec, containers: [{ ...container, env: [{ name: "api_token", value: "x" }] }] },
              },
            },
          },
        },
      }),
      /env api_token has a literal value/,
    ],
    [
      "a URL with a password as a value",
      withContainer({ env: [{ name: "DATABASE_URL", value: url }] }),
      /^spec\.template\.spec\.containers\.0\.env\.0\.value contains a URL with a password/,
    ],
    ["a URL with a password as an argument", withContainer({ args: [`--url=${url}`] }), /containers\.0\.args\.0/],
    ["a URL with a password in a ConfigMap", configMap('{"at":"redis://:hunter2@cache"}'), /^data\.chain\.json/],
    [
      "a URL with a password in a command line",
      ofType("command:local:Command", { create: `psql ${url}`, interpreter: ["sh", "-c"] }),
      /^create contains a URL with a password/,
    ],
    [
      "a URL with a password beside an unknown value",
      { ...configMap(url), props: unknownCheckingProxy({ data: { a: runtime.unknownValue, b: url } }) },
      /^data\.b/,
    ],
  ],
  "restricted-pod": [
    ["a privileged container", withSecurityContext({ privileged: true }), /must not set .*privileged=true/],
    [
      "privilege escalation",
      withSecurityContext({ allowPrivilegeEscalation: undefined }),
      /must set securityContext.allowPrivilegeEscalation=false/,
    ],
    ["default capabilities", withSecurityContext({ capabilities: {} }), /capabilities.drop=\["ALL"\]/],
    [
      "added capabilities",
      withSecurityContext({ capabilities: { drop: ["ALL"], add: ["SYS_ADMIN"] } }),
      /must not add capabilities other than NET_BIND_SERVICE/,
    ],
    [
      "a pod that may run as root",
      job({}, { securityContext: { seccompProfile: { type: "RuntimeDefault" } } }),
      /must set securityContext.runAsNonRoot=true/,
    ],
    ["a container that overrides the pod", withSecurityContext({ runAsNonRoot: false }), /runAsNonRoot=true/],
    [
      "a pod without a seccomp profile",
      job({}, { securityContext: { runAsNonRoot: true } }),
      /seccompProfile.type to RuntimeDefault or Localhost/,
    ],
    [
      "an unconfined seccomp profile",
      withSecurityContext({ seccompProfile: { type: "Unconfined" } }),
      /seccompProfile.type to RuntimeDefault or Localhost/,
    ],
  ],
  "termination-message": [
    [
      "a container that reports only its termination file",
      withContainer({ terminationMessagePolicy: "File" }),
      /must set terminationMessagePolicy=FallbackToLogsOnError/,
    ],
    ["a container without a policy", withContainer({ terminationMessagePolicy: undefined }), /FallbackToLogsOnError/],
  ],
};

const accepted: readonly (readonly [what: string, resource: Resource])[] = [
  ["a Job that complies with every rule", job()],
  [
    "a restricted container in an unrestricted pod",
    job(
      {},
      {
        securityContext: undefined,
        containers: [
          {
            ...container,
            securityContext: {
              ...container.securityContext,
              runAsNonRoot: true,
              seccompProfile: { type: "Localhost" },
            },
          },
        ],
      },
    ),
  ],
  [
    "the capability NET_BIND_SERVICE",
    withSecurityContext({ capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } }),
  ],
  ["a password by reference", withContainer({ env: [{ name: "POSTGRES_PASSWORD", valueFrom: {} }] })],
  ["the placeholder for a password", configMap("postgresql://USER:PASSWORD@HOST:5432/DATABASE")],
  ["a URL without a password", configMap("https://user@host/path")],
  ["a Secret with a URL with a password", ofType("kubernetes:core/v1:Secret", { stringData: { url } })],
  [
    "a command with a URL with a password in its environment",
    ofType("command:local:Command", {
      create: "psql",
      environment: { DATABASE_URL: url },
    }),
  ],
  ["a stack's reference to a URL with a password", ofType("pulumi:pulumi:StackReference", { outputs: { url } })],
  ["another provider's Job", ofType("gcp:cloudrunv2/job:Job", { name: "job" })],
];

describe("policy rules", () => {
  for (const { name } of rules) {
    for (const [what, resource, message] of rejected[name] ?? assert.fail(`no tests of ${name}`)) {
      it(`${name} rejects ${what}`, () => {
        const { [name]: messages = [], ...others } = violationsOf(resource);
        assert.equal(messages.length, 1);
        assert.match(messages[0] ?? "", message);
        assert.doesNotMatch(messages[0] ?? "", /hunter2/);
        assert.deepEqual(others, {});
      });
    }
  }

  for (const [what, resource] of accepted) {
    it(`accept ${what}`, () => assert.deepEqual(violationsOf(resource), {}));
  }
});
