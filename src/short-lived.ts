// What a program that lives for seconds begins with; public as `import "pulumi-alembic/short-lived"`. What a Pulumi program
// imports statically is loaded before it, so it imports the rest by `import()`.
import { enableCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";
import { compileCache } from "./paths.ts";

// What is imported from here on is kept compiled.
enableCompileCache(compileCache);
// Node may never end a process that exits while code is compiled in the background, which an update would wait for:
// https://github.com/nodejs/node/issues/54918. So it is compiled at once; optimized code would not pay in that time.
// V8 optimizes the SQL parser's largest function after its first calls, for 0.5 s and 500 MB.
const flags = [
  "--no-concurrent-sparkplug",
  "--no-concurrent-recompilation",
  "--no-wasm-tier-up",
  "--no-wasm-dynamic-tiering",
];
for (const flag of flags) setFlagsFromString(flag);
