import type { ChildProcess } from "node:child_process";

const running = new Map<ChildProcess, NodeJS.Signals>();

process.once("exit", () => {
  for (const [child, signal] of running) child.kill(signal);
});

/**
 * Makes a process end with this one, also when the test that started it fails or times out.
 *
 * @param signal - Signal that ends the process and its children.
 */
export function endWithTests<T extends ChildProcess>(child: T, signal: NodeJS.Signals = "SIGKILL"): T {
  running.set(child, signal);
  child.once("exit", () => running.delete(child));
  return child;
}

/** Kills what a process that was started with `detached` has left in its process group. */
export function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) sendSignal(-pid, "SIGKILL");
}

/** Sends a signal; ignores a process that has already ended. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
