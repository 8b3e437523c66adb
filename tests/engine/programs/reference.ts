// Reads an output of the stack in the setting `of`, as details and in all outputs.
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const other = new pulumi.StackReference("other", { name: config.require("of") });
const { value, secretValue } = await other.getOutputDetails(config.require("output"));
export const read = value ?? null;
export const hidden = secretValue === undefined ? null : pulumi.secret(secretValue);
export const all = other.outputs;
