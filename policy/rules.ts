import { digestOf } from "../src/manifests/image-reference.ts";
import {
  annotationOf,
  type Container,
  type Declared,
  jobSpecsOf,
  type PodSpec,
  podSpecsOf,
  textsIn,
} from "./declared.ts";

/** What must never be declared, whatever the settings say. */
interface Rule {
  readonly name: string;
  /** Whether it holds in production only. */
  readonly productionOnly?: true;
  /** @returns A sentence for each fault; never a value that may be a secret. */
  faults(declared: Declared, all: readonly Declared[]): readonly string[];
}

/** A fault of a declared resource. */
export interface Violation {
  readonly rule: string;
  /** `<type> <name>`. */
  readonly resource: string;
  readonly sentence: string;
}

const secretName = /PASSW(OR)?D|SECRET|TOKEN|CREDENTIAL|API_?KEY|PRIVATE_?KEY/i;
/** A URL with a password in it; `PASSWORD` is a placeholder, as in the runner's examples. */
const credentialUrl = /\w+:\/\/[^\s:/@]*:(?!PASSWORD@)[^\s@/]+@/;

const containersOf = ({ containers, initContainers = [] }: PodSpec) => [...initContainers, ...containers];

/** Judges each container of an object's pods. */
function perContainer(judge: (container: Container, pod: PodSpec) => readonly string[]): Rule["faults"] {
  return (declared) =>
    podSpecsOf(declared).flatMap((pod) =>
      containersOf(pod).flatMap((container) =>
        judge(container, pod).map((fault) => `container ${container.name} ${fault}`),
      ),
    );
}

/** What the `restricted` Pod Security Standard asks, and is not had by leaving it out. */
function isRestricted({ securityContext: own = {} }: Container, { securityContext: pod = {} }: PodSpec): boolean {
  const { privileged = false, capabilities, allowPrivilegeEscalation } = own;
  const profile = (own.seccompProfile ?? pod.seccompProfile)?.type ?? "";
  return (
    !privileged &&
    allowPrivilegeEscalation === false &&
    (own.runAsNonRoot ?? pod.runAsNonRoot) === true &&
    ["RuntimeDefault", "Localhost"].includes(profile) &&
    capabilities?.drop?.includes("ALL") === true &&
    (capabilities.add ?? []).every((name) => name === "NET_BIND_SERVICE")
  );
}

const rules: readonly Rule[] = [
  {
    name: "floating-image",
    productionOnly: true,
    faults: perContainer(({ image }) =>
      typeof image === "string" && digestOf(image) !== undefined
        ? []
        : [`has the image ${image}, which no digest fixes: another may run tomorrow`],
    ),
  },
  {
    name: "job-deadline",
    faults: (declared) =>
      jobSpecsOf(declared)
        .filter(({ activeDeadlineSeconds: seconds }) => !(typeof seconds === "number" && seconds > 0))
        .map(() => "has no activeDeadlineSeconds: a Job that hangs would never end"),
  },
  {
    name: "job-kept",
    faults: (declared) =>
      jobSpecsOf(declared)
        .filter(({ ttlSecondsAfterFinished }) => ttlSecondsAfterFinished !== undefined)
        .map(() => "has a ttlSecondsAfterFinished: once it has vanished, it would be declared and run again"),
  },
  {
    name: "literal-credential",
    faults: (declared) => [
      ...perContainer(({ env = [] }) =>
        env
          .filter(({ name = "", value }) => value !== undefined && secretName.test(name))
          .map(({ name }) => `has ${name} as a value (not shown): refer to a Secret by valueFrom.secretKeyRef`),
      )(declared, []),
      ...(declared.type === "kubernetes:core/v1:Secret" ? [] : [...textsIn(declared.properties)])
        .filter(([, text]) => credentialUrl.test(text))
        .map(([path]) => `has a URL with a password at ${path} (not shown): refer to a Secret`),
    ],
  },
  {
    name: "skipped-wait",
    faults: (declared, all) => {
      if (annotationOf(declared, "pulumi.com/skipAwait") !== "true") return [];
      const kind = waits[declared.type];
      const isWait = ({ type, properties, after }: Declared) =>
        type === "command:local:Command" &&
        Array.isArray(properties.interpreter) &&
        properties.interpreter.includes("src/cluster/wait/main.ts") &&
        properties.create === kind &&
        after.includes(labelOf(declared));
      return kind === undefined || all.some(isWait)
        ? []
        : [
            "is waited for by nobody: Pulumi's wait is off by an annotation, and no wait of this project's comes after it",
          ];
    },
  },
  {
    name: "restricted-pod",
    faults: perContainer((container, pod) =>
      isRestricted(container, pod)
        ? []
        : ["may do more than the restricted Pod Security Standard allows: give it src/manifests/security.ts"],
    ),
  },
  {
    name: "last-words",
    faults: perContainer(({ terminationMessagePolicy }) =>
      terminationMessagePolicy === "FallbackToLogsOnError"
        ? []
        : ["has no terminationMessagePolicy FallbackToLogsOnError: why it failed would not be told"],
    ),
  },
];

/** What must be waited for, by its type, with the word of `src/cluster/wait/main.ts` that does. */
const waits: Readonly<Record<string, string>> = {
  "kubernetes:batch/v1:Job": "job",
  "kubernetes:apps/v1:Deployment": "rollout",
};

/** @returns What a resource is called among {@link Declared.after}. */
export function labelOf({ type, name }: Pick<Declared, "type" | "name">): string {
  return `${type} ${name}`;
}

/** @returns What must not be declared, in the order of the resources. */
export function violations(all: readonly Declared[], isProduction: boolean): readonly Violation[] {
  const held = rules.filter(({ productionOnly = false }) => isProduction || !productionOnly);
  return all.flatMap((declared) =>
    held.flatMap(({ name: rule, faults }) =>
      faults(declared, all).map((sentence) => ({ rule, resource: labelOf(declared), sentence })),
    ),
  );
}

/** @returns Why nothing is declared. */
export function describeViolations(found: readonly Violation[]): string {
  return [
    "Refused: what must never be would be declared. Nothing was changed.",
    ...found.map(({ rule, resource, sentence }) => `  - ${rule}: ${resource.split(":").at(-1)} ${sentence}`),
  ].join("\n");
}
