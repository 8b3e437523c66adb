import { type ChildProcess, spawn } from "node:child_process";
import { endWithTests } from "./children.ts";

/** Started plugin of Pulumi. */
interface Plugin {
  readonly child: ChildProcess;
  /** Port of its gRPC server on loopback. */
  readonly port: string;
}

/**
 * Starts a plugin by one of the SDK's runners. It ends with the tests.
 *
 * @param command - Runner and its arguments.
 */
export async function startPlugin(
  command: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Plugin> {
  const child = endWithTests(spawn(process.execPath, command, { ...options, stdio: ["ignore", "pipe", "inherit"] }));
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (text: Buffer) => resolve(text.toString().trim()));
    child.once("exit", (code) => reject(new Error(`${command.join(" ")} exited with code ${code}`)));
  });
  return { child, port };
}
