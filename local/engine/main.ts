import "../../src/short-lived.ts";

// Only now, so that it comes from the cache: a fifth of a second of every start.
const { main } = await import("./cli.ts");
try {
  process.exitCode = await main();
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = (error as Error).name === "ConfigError" ? 2 : 1;
}
