import { type GeneratedFilesOptions, type WrittenOrChecked, writeOrCheck } from "../generated-files.ts";
import type { Call, Result } from "../result.ts";
import { ofStack } from "../stack-options.ts";
import { renderFiles } from "./files.ts";
import { type ReleaseOptions, withRelease } from "./settings.ts";

/** Writes the release as YAML, or says in what that differs. */
export async function run(call: Call<ReleaseOptions & GeneratedFilesOptions>): Promise<Result<WrittenOrChecked>> {
  const { options, progress } = call;
  return writeOrCheck(
    await withRelease(options, renderFiles, progress.print),
    options,
    ofStack("npm run unity -- render", options),
  );
}
