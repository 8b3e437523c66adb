// Loaded into the program's process before the SDK's runner.
import "../../src/short-lived.ts";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// The SDK takes several stack traces of each resource and would read source maps for all of them: a third of a second.
// Type stripping keeps the program's own line numbers.
Object.defineProperty(Error, "prepareStackTrace", { get: () => undefined, set: () => {} });

// Load the SDK while the engine derives the key of encrypted settings; then read the settings.
const sdk = createRequire(join(process.cwd(), "package.json"))("@pulumi/pulumi");
// The engine prints no debug messages; the SDK would send several per resource and await each.
sdk.log.debug = async () => {};
Object.assign(process.env, JSON.parse(readFileSync(3, "utf8")));
