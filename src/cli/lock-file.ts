import { join } from "node:path";
import { projectRoot } from "../paths.ts";

/** The reviewed record of this checkout's chain. */
export const lockFile = join(projectRoot, "backend", "migrations.lock.json");
