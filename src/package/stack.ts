// Public API of programs whose stacks have settings as Unity's: `import … from "pulumi-alembic/stack"`. It loads no
// resource classes, so that a program can query its cluster while they load.

export { afterAdoption } from "../adoption/prepare.ts";
export { Kubectl } from "../cluster/kubectl.ts";
export { existingSecretVersion } from "../preflight/existing-secrets.ts";
export { backendOptions, migrationOptions, unityTarget } from "../preflight/options.ts";
export { type Planned, showPlan } from "../preflight/preflight.ts";
export { loadRelease, type Release } from "../preflight/release.ts";
export { confirmPromotion } from "../promotion/promotion.ts";
export type { ReleaseRecord } from "../promotion/record.ts";
export { loadSettings } from "../settings/load-settings.ts";
export type { Settings } from "../settings/settings.ts";
