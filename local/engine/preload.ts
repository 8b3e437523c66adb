// Loaded into the program's process before the SDK's runner.
import "../../src/short-lived.ts";
import { readFileSync } from "node:fs";
import { createRequire, Module } from "node:module";
import { join } from "node:path";

// The SDK takes several stack traces of each resource and would read source maps for all of them: a third of a second.
// Type stripping keeps the program's own line numbers.
Object.defineProperty(Error, "prepareStackTrace", { get: () => undefined, set: () => {} });

const require = createRequire(join(process.cwd(), "package.json"));

/** Replaces a module of functions, which is then loaded when one of them is called. */
function defer(name: string): void {
  const path = require.resolve(name);
  const deferred = new Module(path);
  const load = () => {
    if (require.cache[path] === deferred) delete require.cache[path];
    return require(path);
  };
  const callerOf = (member: string | symbol) => {
    return (...args: unknown[]) => load()[member](...args);
  };
  deferred.exports = new Proxy({}, { get: (_, member) => callerOf(member) });
  require.cache[path] = deferred;
}

// They load npm and TypeScript, in a fifth of a second, to serialize functions.
defer("@pulumi/pulumi/runtime/closure/serializeClosure");
defer("@pulumi/pulumi/runtime/closure/codePaths");

// Load the SDK while the engine derives the key of encrypted settings; then read the settings.
const sdk = require("@pulumi/pulumi");
// The engine prints no debug messages; the SDK would send several per resource and await each.
sdk.log.debug = async () => {};
Object.assign(process.env, JSON.parse(readFileSync(3, "utf8")));
