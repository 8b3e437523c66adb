// Verifies the release in the setting `target` with the components of the folder in the setting `root`.
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const root = config.require("root");
process.chdir(root); // where the tests, and with them the commands, run
const { PostDeployVerification } = await import(join(root, "components/post-deploy-verification.ts"));
const verification = new PostDeployVerification("verification", {
  target: config.requireObject("target"),
  rollout: "uid/1",
});
export const release = verification.release;
