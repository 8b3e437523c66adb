import assert from "node:assert/strict";
import type { Container, Declared, PodSpec } from "../../policy/declared.ts";
import { describeViolations, violations } from "../../policy/rules.ts";

const digest = `sha256:${"a".repeat(64)}`;
const container: Container = {
  name: "main",
  image: `registry.example/unity-backend@${digest}`,
  env: [{ name: "DATABASE_URL" }, { name: "PGDATA", value: "/data" }],
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  terminationMessagePolicy: "FallbackToLogsOnError",
};
const pod: PodSpec = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  containers: [container],
};
const off = { annotations: { "pulumi.com/skipAwait": "true" } };
const job = (spec: object = {}, podSpec: object = {}): Declared => ({
  type: "kubernetes:batch/v1:Job",
  name: "migration-job",
  properties: {
    metadata: off,
    spec: { activeDeadlineSeconds: 600, template: { spec: { ...pod, ...podSpec } }, ...spec },
  },
  after: [],
});
const wait = (word = "job", after = ["kubernetes:batch/v1:Job migration-job"]): Declared => ({
  type: "command:local:Command",
  name: "migration-completion",
  properties: { interpreter: ["node", "src/cluster/wait/main.ts"], create: word },
  after,
});
const withContainer = (changes: Partial<Container>, key: "containers" | "initContainers" = "containers") =>
  job({}, { [key]: [{ ...container, ...changes }] });
const broken = (declared: readonly Declared[], isProduction = true) =>
  violations(declared, isProduction).map(({ rule }) => rule);
const configMap = (text: string, type = "kubernetes:core/v1:ConfigMap"): Declared => ({
  type,
  name: "runner",
  properties: { data: { "chain.json": text } },
  after: [],
});
/** Stands for a value that is known only later, as an output of the SDK's does. */
class Later {}

describe("the rules of what must never be declared", () => {
  it("let through what keeps them", () => assert.deepEqual(broken([job(), wait()]), []));

  const bad: readonly [what: string, rule: string, declared: readonly Declared[]][] = [
    ["an image without a tag", "floating-image", [withContainer({ image: "registry.example/unity-backend" }), wait()]],
    ["the tag latest", "floating-image", [withContainer({ image: "registry.example:5000/unity:latest" }), wait()]],
    ["a tag that may be moved", "floating-image", [withContainer({ image: "registry.example/unity:1.0" }), wait()]],
    ["no image", "floating-image", [withContainer({ image: undefined }), wait()]],
    [
      "such an image of an init container",
      "floating-image",
      [withContainer({ image: "unity:1.0" }, "initContainers"), wait()],
    ],
    ["a Job without a deadline", "job-deadline", [job({ activeDeadlineSeconds: undefined }), wait()]],
    ["a Job with a deadline of 0", "job-deadline", [job({ activeDeadlineSeconds: 0 }), wait()]],
    [
      "a CronJob whose Jobs have no deadline",
      "job-deadline",
      [{ ...job(), type: "kubernetes:batch/v1:CronJob", properties: { spec: { jobTemplate: { spec: {} } } } }],
    ],
    ["a Job that vanishes", "job-kept", [job({ ttlSecondsAfterFinished: 60 }), wait()]],
    [
      "a password as a value",
      "literal-credential",
      [withContainer({ env: [{ name: "POSTGRES_PASSWORD", value: "x" }] }), wait()],
    ],
    [
      "a token as a value that is known later",
      "literal-credential",
      [withContainer({ env: [{ name: "api_token", value: new Later() }] }), wait()],
    ],
    [
      "a URL with a password as a value",
      "literal-credential",
      [withContainer({ env: [{ name: "DATABASE_URL", value: "postgresql://u:hunter2@db/unity" }] }), wait()],
    ],
    [
      "a URL with a password as an argument",
      "literal-credential",
      [withContainer({ args: ["--url=postgresql://u:hunter2@db/unity"] }), wait()],
    ],
    ["a URL with a password in a ConfigMap", "literal-credential", [configMap('{"at":"redis://:hunter2@cache"}')]],
    ["a Job that nobody waits for", "skipped-wait", [job()]],
    ["a Job whose wait does not come after it", "skipped-wait", [job(), wait("job", [])]],
    ["a Job that is waited for as a rollout", "skipped-wait", [job(), wait("rollout")]],
    [
      "a Deployment that nobody waits for",
      "skipped-wait",
      [{ ...job(), type: "kubernetes:apps/v1:Deployment", name: "backend" }],
    ],
    [
      "a container without a security context",
      "restricted-pod",
      [withContainer({ securityContext: undefined }), wait()],
    ],
    [
      "a container that may take more capabilities",
      "restricted-pod",
      [
        withContainer({
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"], add: ["SYS_ADMIN"] } },
        }),
        wait(),
      ],
    ],
    ["a pod that may run as root", "restricted-pod", [job({}, { securityContext: {} }), wait()]],
    [
      "a container whose last words are lost",
      "last-words",
      [withContainer({ terminationMessagePolicy: "File" }), wait()],
    ],
  ];
  for (const [what, rule, declared] of bad) {
    it(`refuse ${what}`, () => assert.deepEqual(broken(declared), [rule]));
  }

  const fine: readonly [what: string, declared: readonly Declared[], isProduction: boolean][] = [
    ["an image by its tag outside production", [withContainer({ image: "localhost/unity:1" }), wait()], false],
    ["a password by reference", [withContainer({ env: [{ name: "POSTGRES_PASSWORD" }] }), wait()], true],
    ["the place of a password in an example", [configMap("postgresql://USER:PASSWORD@HOST:5432/DATABASE")], true],
    ["a URL without a password", [configMap("https://user@host/path")], true],
    ["a Secret that holds one", [configMap("postgresql://u:hunter2@db/unity", "kubernetes:core/v1:Secret")], true],
    ["a Job that Pulumi itself waits for", [{ ...job(), properties: { ...job().properties, metadata: {} } }], true],
    ["a Service without Pulumi's wait", [{ ...configMap(""), properties: { metadata: off } }], true],
  ];
  for (const [what, declared, isProduction] of fine) {
    it(`let through ${what}`, () => assert.deepEqual(broken(declared, isProduction), []));
  }

  it("name the resource and the fault, never the secret", () => {
    const found = violations([configMap("postgresql://u:hunter2@db/unity"), job({ activeDeadlineSeconds: 0 })], true);
    const text = describeViolations(found);
    assert.match(text, /^Refused: .* Nothing was changed\.$/m);
    assert.match(text, /^ {2}- literal-credential: ConfigMap runner has a URL with a password at data\.chain\.json/m);
    assert.match(text, /^ {2}- job-deadline: Job migration-job has no activeDeadlineSeconds/m);
    assert.doesNotMatch(text, /hunter2/);
  });
});
