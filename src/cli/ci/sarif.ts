import { printable } from "../../printable.ts";
import type { Remark } from "./remarks.ts";
import { allRules, ruleUri } from "./rules.ts";

/** Variable of the repository's root, which the reader of a SARIF file resolves. */
const root = "%SRCROOT%";

/**
 * Returns a log of SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), with all rules, so that
 * an alert of a rule without results is closed.
 */
export function sarifLog(remarks: readonly Remark[]): object {
  const rules = Object.entries(allRules).map(([id, { level, because }]) => ({
    id,
    shortDescription: { text: id },
    fullDescription: { text: plainText(because) },
    helpUri: ruleUri(id),
    defaultConfiguration: { level },
  }));
  const indexes = new Map(rules.map(({ id }, index) => [id, index]));
  return {
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "pulumi-alembic", rules } },
        automationDetails: { id: "pulumi-alembic/" },
        columnKind: "utf16CodeUnits",
        results: remarks.map((remark) => resultOf(remark, indexes.get(remark.rule) ?? -1)),
      },
    ],
  };
}

function resultOf(remark: Remark, ruleIndex: number): object {
  const { rule, level, approved, revision, file, line, message, help, fingerprint } = remark;
  const artifactLocation = { uri: file.split("/").map(encodeURIComponent).join("/"), uriBaseId: root };
  const logicalLocations = revision === null ? undefined : [{ name: printable(revision), kind: "revision" }];
  return {
    ruleId: rule,
    ruleIndex,
    level,
    message: { text: plainText(help === null ? message : `${message} ${help}`) },
    locations: [{ physicalLocation: { artifactLocation, region: { startLine: line } }, logicalLocations }],
    partialFingerprints: { "finding/v1": fingerprint },
    suppressions: approved ? [{ kind: "external", justification: "approved by the stack" }] : undefined,
  };
}

/** Returns a text without the links that SARIF's messages may have. */
function plainText(text: string): string {
  return printable(text).replaceAll("](", "] (");
}
