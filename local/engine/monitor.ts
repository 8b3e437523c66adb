import { createRequire } from "node:module";
import type { Server, ServerUnaryCall, ServiceDefinition, sendUnaryData } from "@grpc/grpc-js";
import type { ReadResourceRequest, RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { type Deployment, Stopped } from "./deployment.ts";
import type { Display } from "./display.ts";
import { unsupported } from "./errors.ts";
import type { Registration } from "./step.ts";
import { decode, type Properties } from "./values.ts";

const require = createRequire(import.meta.url);
const grpc: typeof import("@grpc/grpc-js") = require("@grpc/grpc-js");
const proto: typeof import("@pulumi/pulumi/proto/resource_pb.js") = require("@pulumi/pulumi/proto/resource_pb.js");
const engineProto: typeof import("@pulumi/pulumi/proto/engine_pb.js") = require("@pulumi/pulumi/proto/engine_pb.js");
const google: typeof import("google-protobuf/google/protobuf/empty_pb.js") &
  typeof import("google-protobuf/google/protobuf/struct_pb.js") = {
  ...require("google-protobuf/google/protobuf/empty_pb.js"),
  ...require("google-protobuf/google/protobuf/struct_pb.js"),
};
const { ResourceMonitorService } = require("@pulumi/pulumi/proto/resource_grpc_pb.js");
const { EngineService } = require("@pulumi/pulumi/proto/engine_grpc_pb.js");

/** Secrets, resource references, output values (`ResourceMonitorFeature` in the SDK's resource.proto). */
const features = [0, 1, 2];
const severities = ["debug", "info", "warning", "error"] as const;

/** Options that the SDKs set for every command and Secret; the engine always acts as if they were set. */
const impliedOptions = ["", "triggers[*]", "data,stringData"];

function rejectUnsupported(request: RegisterResourceRequest): void {
  const options = {
    import: request.getImportid() !== "",
    "ignoreChanges with * or [ ]": request.getIgnorechangesList().some((path) => !/^[\w.]+$/.test(path)),
    replaceOnChanges: !impliedOptions.includes(request.getReplaceonchangesList().join()),
    additionalSecretOutputs: !impliedOptions.includes(request.getAdditionalsecretoutputsList().join()),
    deletedWith: request.getDeletedwith() !== "",
    replaceWith: request.getReplaceWithList().length > 0,
    replacementTrigger: request.hasReplacementTrigger(),
    transforms: request.getTransformsList().length > 0,
    stateMigrations: request.getStateMigrationsList().length > 0,
    hooks: request.getHooks() !== undefined,
    envVarMappings: request.getEnvvarmappingsMap().getLength() > 0,
    customTimeouts: Object.values(request.getCustomtimeouts()?.toObject() ?? {}).some((timeout) => timeout !== ""),
    protect: request.getProtect(),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    "a remote component": request.getRemote(),
  };
  for (const [option, isSet] of Object.entries(options))
    if (isSet) throw unsupported(`${request.getType()} ${request.getName()}: ${option}`);
}

const fromStruct = (struct: { toJavaScript(): object } | undefined) => (struct?.toJavaScript() ?? {}) as Properties;

function toRegistration(request: RegisterResourceRequest): Registration {
  rejectUnsupported(request);
  const provider = request.getProvider();
  const inputs = decode(fromStruct(request.getObject()));
  return {
    name: request.getName(),
    resource: {
      type: request.getType(),
      custom: request.getCustom(),
      parent: request.getParent() || undefined,
      provider: provider.slice(0, Math.max(0, provider.lastIndexOf("::"))) || undefined,
      inputs,
      outputs: inputs,
      dependencies: request.getDependenciesList(),
      retainOnDelete: request.getRetainondelete() || undefined,
    },
    aliases: request.getAliasurnsList(),
    ignoreChanges: request.getIgnorechangesList().map((path) => path.split(".")),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: each handler has its own request type
type Handlers = { [method: string]: (request: any) => unknown };

/** Implements a service's methods; those without a handler are rejected by name. */
function implement(service: ServiceDefinition, handlers: Handlers, failed: (error: Error) => Promise<void>) {
  const method =
    (name: string) =>
    async ({ request }: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<unknown>) => {
      const handler = handlers[name];
      const { UNIMPLEMENTED, CANCELLED } = grpc.status;
      if (handler === undefined) return reply({ code: UNIMPLEMENTED, message: unsupported(name).message });
      try {
        reply(null, (await handler(request)) ?? new google.Empty());
      } catch (error) {
        if (!(error instanceof Stopped)) await failed(error as Error);
        reply({ code: CANCELLED, message: (error as Error).message });
      }
    };
  return Object.fromEntries(Object.keys(service).map((name) => [name, method(name)]));
}

function monitorHandlers(ready: Promise<Deployment>): Handlers {
  return {
    getDeploymentInfo: () => new proto.DeploymentInfo().setSupportedfeaturesList(features),
    async registerResource(request: RegisterResourceRequest) {
      const { urn, id = "", outputs } = await (await ready).register(toRegistration(request));
      const response = new proto.RegisterResourceResponse().setUrn(urn).setId(id);
      return response.setObject(google.Struct.fromJavaScript(outputs as never));
    },
    async readResource(request: ReadResourceRequest) {
      const inputs = decode(fromStruct(request.getProperties()));
      const read = await (await ready).read(request.getType(), request.getName(), request.getParent(), inputs);
      const response = new proto.ReadResourceResponse().setUrn(read.urn);
      return response.setProperties(google.Struct.fromJavaScript(read.outputs as never));
    },
    async registerResourceOutputs(request: InstanceType<typeof proto.RegisterResourceOutputsRequest>) {
      (await ready).registerOutputs(request.getUrn(), decode(fromStruct(request.getOutputs())));
    },
    signalAndWaitForShutdown: () => undefined,
  };
}

function engineHandlers(display: Display): Handlers {
  return {
    log(request: InstanceType<typeof engineProto.LogRequest>) {
      const severity = severities[request.getSeverity()] ?? "info";
      display.log(severity, request.getMessage().trimEnd(), request.getUrn() || undefined);
    },
    setRootResource: () => new engineProto.SetRootResourceResponse(),
  };
}

/** Serves the deployment protocol on the loopback interface, also before the state is read. */
export async function serve(
  ready: Promise<Deployment>,
  display: Display,
): Promise<{ address: string; server: Server }> {
  const failed = async (error: Error): Promise<void> => {
    const deployment = await ready;
    if (!deployment.failed) display.log("error", error.message);
    deployment.failed = true;
  };
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(ResourceMonitorService, implement(ResourceMonitorService, monitorHandlers(ready), failed));
  server.addService(EngineService, implement(EngineService, engineHandlers(display), failed));
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { address: `127.0.0.1:${port}`, server };
}
