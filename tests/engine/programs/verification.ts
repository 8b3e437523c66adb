// Verifies the release in the setting `target` with the components of the folder in the setting `root`.
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const root = config.require("root");
process.chdir(root); // where the tests, and with them the commands, run
const { verificationCommand } = await import(join(root, "components/verification-command.ts"));
const verification = verificationCommand("verification-checks", config.requireObject("target"), ["uid/1"], {});
export const release = verification.apply((verified: { release?: object } | undefined) => verified?.release);
