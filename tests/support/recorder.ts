import * as pulumi from "@pulumi/pulumi";
import { nameChecks } from "../../src/checks/custom.ts";
import { type CheckResult, type CheckTarget, formatVerification } from "../../src/checks/result.ts";
import { projectRoot } from "../../src/paths.ts";
import { readSettingsSchema, settingDefaults } from "../../src/settings/declarations.ts";

/** A registered resource. Pulumi's own mocks hide all but type, name and inputs. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** URN of the parent. */
  readonly parent: string;
  /** URNs of what must exist before it. */
  readonly dependencies: readonly string[];
  /** Types that it had before. */
  readonly formerTypes: readonly string[];
  readonly inputs: Record<string, unknown>;
}

/** The part of the SDK's request that is read here (pulumi/proto/resource.proto). */
interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getDependenciesList(): string[];
  getAliasesList(): { getSpec(): { getType(): string } | undefined }[];
  getObject(): { toJavaScript(): Record<string, unknown> };
}

type Register = (request: Request, callback: (error: unknown, response: { getUrn(): string }) => void) => void;

/** Outputs of other stacks, by their full name. */
export type StackOutputs = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Inputs of a command. */
interface CommandInputs {
  readonly interpreter: readonly string[];
  readonly stdin?: string;
}

/** Returns the output of the checks' program if all checks pass; of other commands, nothing. */
function passingChecks({ interpreter, stdin = "" }: CommandInputs): string {
  if (!interpreter[1]?.includes("src/checks/main")) return "";
  const { release, checks } = JSON.parse(stdin) as CheckTarget;
  return formatVerification(
    release,
    nameChecks(checks).map(({ name }) => ({ name, passed: true }) as CheckResult),
  );
}

/** Returns a resource's outputs, as its provider would. */
function outputs(
  { type, name, inputs }: pulumi.runtime.MockResourceArgs,
  stacks: StackOutputs,
  stdout: (inputs: CommandInputs) => string | undefined,
): Record<string, unknown> {
  if (type === "command:local:Command") return { ...inputs, stdout: stdout(inputs) };
  if (type === "pulumi:pulumi:StackReference") {
    return { ...inputs, outputs: stacks[String(inputs.name)] ?? {}, secretOutputNames: [] };
  }
  return {
    ...inputs,
    metadata: { ...inputs.metadata, uid: `${name}-uid`, resourceVersion: `${name}-version`, generation: 1 },
  };
}

/**
 * Runs a program against a recording monitor.
 *
 * @param configuration - Keys as in the stack's file: `unity:image`.
 * @param program - Declares resources.
 * @param stacks - Outputs of referenced stacks.
 * @param stdout - Returns the output of a command: by default, that of a run in which all checks pass.
 * @returns The registered resources in order, and the program's result.
 */
export async function record<T>(
  configuration: Record<string, string>,
  program: () => T | Promise<T>,
  stacks: StackOutputs = {},
  stdout: (inputs: CommandInputs) => string | undefined = passingChecks,
): Promise<{ registrations: Registration[]; result: T }> {
  await pulumi.runtime.setMocks(
    {
      newResource: (resource) => ({ id: `${resource.name}-id`, state: outputs(resource, stacks, stdout) }),
      call: ({ token }) => {
        throw new Error(`unexpected call of ${token}`);
      },
    },
    "unity",
    "test",
    false,
    "organization",
  );
  pulumi.runtime.setAllConfig(
    { ...settingDefaults(readSettingsSchema(projectRoot)), ...configuration },
    Object.keys(configuration).filter((key) => /assword|Url/.test(key)),
  );
  const registrations: Registration[] = [];
  const monitor = pulumi.runtime.getMonitor() as unknown as { registerResource: Register };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, response) => {
      registrations.push({
        type: request.getType(),
        name: request.getName(),
        urn: response?.getUrn() ?? "",
        parent: request.getParent(),
        dependencies: request.getDependenciesList(),
        formerTypes: request.getAliasesList().map((alias) => alias.getSpec()?.getType() ?? ""),
        inputs: request.getObject()?.toJavaScript() ?? {},
      });
      callback(error, response);
    });
  const result = await program();
  await pulumi.runtime.disconnect();
  return { registrations, result };
}

/** Returns the only registration of a type and name. */
export function find(registrations: readonly Registration[], type: string, name: string): Registration {
  const found = registrations.filter((registration) => registration.type === type && registration.name === name);
  if (found.length !== 1 || found[0] === undefined) {
    const all = registrations.map((each) => `${each.type} ${each.name}`).join(", ");
    throw new Error(`${found.length} registrations of ${type} ${name}, expected 1, among: ${all}`);
  }
  return found[0];
}

/** Returns the value of an output. */
export function whenKnown<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve as (value: unknown) => void));
}
