/** Variables of CI services with the name of the branch that a pull request merges into. */
export const baseVariables = ["GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] as const;

/** Description of the default of `--base`. */
export const baseDefault = `origin/$${baseVariables.join(" or origin/$")}, otherwise origin/HEAD`;
