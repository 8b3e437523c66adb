// Registers the commands in the setting `resources`.
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

interface Listed {
  readonly name: string;
  readonly args: command.local.CommandArgs;
  readonly options?: pulumi.CustomResourceOptions;
  readonly after?: string[];
  readonly secretInput?: string;
  readonly inside?: string;
}

const config = new pulumi.Config();
const registered = new Map<string, pulumi.Resource>();
const outputs: Record<string, pulumi.Output<string>> = {};
for (const { name, args, options, after = [], secretInput, inside } of config.requireObject<Listed[]>("resources")) {
  if (inside !== undefined && !registered.has(inside))
    registered.set(inside, new pulumi.ComponentResource("test:index:Group", inside));
  const environment = secretInput === undefined ? args.environment : { SECRET: pulumi.secret(secretInput) };
  const dependsOn = after.map((other) => registered.get(other) as pulumi.Resource);
  const parent = inside === undefined ? undefined : registered.get(inside);
  const resource = new command.local.Command(name, { ...args, environment }, { ...options, dependsOn, parent });
  registered.set(name, resource);
  outputs[name] = resource.stdout;
}
const password = config.getSecret("password");
if (password !== undefined) outputs.password = password;
if (config.get("say") !== undefined) pulumi.log.info(config.require("say"));
if (config.get("fail") !== undefined) throw new pulumi.RunError(config.require("fail"));
export const all = outputs;
