import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

const options: pulumi.CustomResourceOptions = new pulumi.Config().requireObject("options");
new command.local.Command("odd", { create: "true" }, options);
