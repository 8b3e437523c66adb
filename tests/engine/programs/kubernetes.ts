// Registers the Kubernetes objects in the setting `objects`.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

interface Listed {
  readonly name: string;
  readonly object: { apiVersion: string; kind: string; metadata?: object } & Record<string, unknown>;
  readonly options?: pulumi.CustomResourceOptions;
  readonly after?: string[];
}

class KubernetesObject extends pulumi.CustomResource {
  declare readonly metadata: pulumi.Output<{ name: string }>;
  declare readonly data: pulumi.Output<unknown>;

  constructor(name: string, object: Listed["object"], options: pulumi.CustomResourceOptions) {
    const group = object.apiVersion.includes("/") ? object.apiVersion : `core/${object.apiVersion}`;
    super(`kubernetes:${group}:${object.kind}`, name, { metadata: undefined, data: undefined, ...object }, options);
  }
}

const config = new pulumi.Config();
const provider = new kubernetes.Provider("cluster", {
  context: config.get("context"),
  namespace: config.get("namespace"),
  upsertExistingObjects: config.getBoolean("upsert"),
});
const registered = new Map<string, KubernetesObject>();
const names: Record<string, pulumi.Output<string>> = {};
for (const { name, object, options, after = [] } of config.requireObject<Listed[]>("objects")) {
  const dependsOn = after.map((other) => registered.get(other) as KubernetesObject);
  const resource = new KubernetesObject(name, object, { ...options, provider, dependsOn });
  registered.set(name, resource);
  names[name] = resource.metadata.apply((metadata) => metadata.name);
}

export { names };
