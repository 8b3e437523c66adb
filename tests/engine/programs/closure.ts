// Serializes a function, as dynamic providers and callbacks of cloud resources do.
import * as pulumi from "@pulumi/pulumi";

const answer = 42;
export const { text } = await pulumi.runtime.serializeFunction(() => answer);
