// Loaded into the program's process ahead of the SDK's own runner.
import "../../src/short-lived.ts";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// The SDK takes several stack traces of each resource, and would read source maps for all of them: a third of a second.
// The program's own lines are right without, since it runs as it is written.
Object.defineProperty(Error, "prepareStackTrace", { get: () => undefined, set: () => {} });

// Load the SDK while the engine derives the key of the settings' secrets; then take the settings.
const sdk = createRequire(join(process.cwd(), "package.json"))("@pulumi/pulumi");
// The engine shows no debug messages; the SDK would send several of each resource, and wait for one after another.
sdk.log.debug = async () => {};
Object.assign(process.env, JSON.parse(readFileSync(3, "utf8")));
