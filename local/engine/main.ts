import "../../src/short-lived.ts";

// Imported here, so that it comes from the compile cache: saves a fifth of a second per start.
const { main } = await import("./cli.ts");
try {
  process.exitCode = await main();
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = (error as Error).name === "ConfigError" ? 2 : 1;
}
