import { stateMessage } from "../highlight.ts";
import { planHighlights } from "../plan/run.ts";
import type { Call, Result } from "../result.ts";
import type { StackOptions } from "../stack-options.ts";
import { withSettings } from "../stack-settings.ts";
import { type Applied, applyPending, exitCodeOf } from "./apply.ts";
import type { Method } from "./methods.ts";

/** Applies what is pending with a stack's settings. */
export async function run(call: Call<StackOptions & { readonly method: Method }>): Promise<Result<Applied>> {
  const { options, progress } = call;
  const { loadRelease } = await import("../../preflight/release.ts");
  const applied = await withSettings(options, (settings) =>
    applyPending(settings, loadRelease(settings), options.method, progress),
  );
  const exitCode = exitCodeOf(applied);
  const highlights = [stateMessage(exitCode), ...planHighlights];
  return { document: applied, text: describe(applied), exitCode, highlights };
}

function describe({ outcome, text, target }: Applied): string {
  return outcome === "applied" ? `${text}\nDatabase is at ${target}.` : text;
}
