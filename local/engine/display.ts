import { type Change, formatPath } from "./diff.ts";
import { nameOf } from "./state.ts";
import { isObject, isSecret, mask, type Properties, show, type Value } from "./values.ts";

/** `discard` deletes the old object of a replacement; it isn't counted. */
export type StepKind = "create" | "update" | "replace" | "delete" | "same" | "discard";

/** The result of a resource's step. */
export interface Step {
  readonly op: StepKind;
  readonly urn: string;
  readonly type: string;
  readonly changes: readonly Change[];
  readonly seconds: number;
  readonly error?: string;
}

export type Severity = "debug" | "info" | "warning" | "error";
interface Diagnostic {
  readonly severity: Severity;
  readonly message: string;
  readonly urn?: string;
}

const terms: Record<StepKind, { readonly mark: string; readonly past: string }> = {
  create: { mark: "+", past: "created" },
  update: { mark: "~", past: "updated" },
  replace: { mark: "+-", past: "replaced" },
  delete: { mark: "-", past: "deleted" },
  same: { mark: "", past: "unchanged" },
  discard: { mark: "-", past: "deleted" },
};

function markOf({ before, after }: Change): string {
  if (before === undefined) return "+";
  return after === undefined ? "-" : "~";
}

function formatChange(change: Change): string {
  const values = [show(change.before), show(change.after)].filter((text) => text !== "");
  return `${markOf(change)} ${formatPath(change.path)}: ${values.join(" => ")}`;
}

/** Replaces secrets in printed text. */
class Redactor {
  private readonly texts = new Set<string>();

  /** Learns the strings in a value's secrets; those below 3 characters would match too much. */
  learn(value: Value, isInside = false): void {
    if (isSecret(value)) this.learn(value.value, true);
    else if (isObject(value) || Array.isArray(value))
      for (const part of Object.values(value)) this.learn(part, isInside);
    else if (isInside && typeof value === "string" && value.length >= 3) this.texts.add(value);
  }

  hide(text: string): string {
    const longestFirst = [...this.texts].sort((one, other) => other.length - one.length);
    return longestFirst.reduce((result, secret) => result.replaceAll(secret, "[secret]"), text);
  }
}

/** Prints an update's progress and summary in the form of the Pulumi CLI. */
export class Display {
  readonly steps: Step[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly redactor = new Redactor();
  private readonly out: (text: string) => void;
  private readonly options: { readonly preview: boolean; readonly diff: boolean };

  constructor(out: (text: string) => void, options: Display["options"]) {
    this.out = out;
    this.options = options;
  }

  write(text: string): void {
    this.out(this.redactor.hide(text));
  }

  line(text: string): void {
    this.write(`${text}\n`);
  }

  step(step: Step): void {
    const { op, urn, type, changes, seconds } = step;
    const error = step.error === undefined ? undefined : this.redactor.hide(step.error);
    if (error !== undefined) this.log("error", error, urn);
    else if (op === "discard") return;
    this.steps.push({ ...step, error });
    if (op === "same" && error === undefined) return;
    const { preview, diff } = this.options;
    const { mark, past } = terms[op];
    const words = [error !== undefined ? "failed" : preview ? op : past];
    if (!preview) words.push(`(${seconds.toFixed(1)}s)`);
    const isDetailed = preview || diff;
    if (!isDetailed && changes.length > 0)
      words.push(`[diff: ${changes.map((change) => markOf(change) + formatPath(change.path)).join(",")}]`);
    this.line(` ${mark.padEnd(2)} ${type.padEnd(42)} ${nameOf(urn).padEnd(28)} ${words.join(" ")}`);
    if (!isDetailed) return;
    for (const change of changes) this.line(`      ${formatChange(change)}`);
  }

  status(urn: string, message: string): void {
    for (const text of message.split("\n")) this.line(`    ${nameOf(urn)}: ${text}`);
  }

  /** Prints information at once, and keeps warnings and errors for the summary. */
  log(severity: Severity, message: string, urn?: string): void {
    if (severity === "debug") return;
    if (severity === "info") this.line(`    ${urn === undefined ? "" : `${nameOf(urn)}: `}${message}`);
    else this.diagnostics.push({ severity, message: this.redactor.hide(message.trimEnd()), urn });
  }

  /** Prints warnings and errors by resource, the outputs, and the number of resources by step. */
  summary(outputs: Properties, seconds: number): void {
    if (this.diagnostics.length > 0) this.line("\nDiagnostics:");
    for (const [urn, messages] of Map.groupBy(this.diagnostics, (item) => item.urn ?? "")) {
      const type = urn.split("::").at(-2)?.split("$").at(-1);
      this.line(urn === "" ? "  pulumi:pulumi:Stack:" : `  ${type} (${nameOf(urn)}):`);
      for (const { severity, message } of messages) this.line(`    ${severity}: ${message.replaceAll("\n", "\n    ")}`);
    }
    if (Object.keys(outputs).length > 0) this.line("\nOutputs:");
    for (const [key, value] of Object.entries(outputs)) {
      const text = `${key}: ${JSON.stringify(mask(value), null, 2)}`;
      this.line(`    ${text.replaceAll("\n", "\n    ")}`);
    }
    this.line("\nResources:");
    for (const [op, { mark, past }] of Object.entries(terms)) {
      const count = this.steps.filter((step) => step.op === op && step.error === undefined).length;
      if (count === 0) continue;
      if (op === "same") this.line(`    ${count} ${past}`);
      else this.line(`    ${mark} ${count} ${this.options.preview ? `to ${op}` : past}`);
    }
    const errored = this.steps.filter(({ error }) => error !== undefined).length;
    if (errored > 0) this.line(`    ${errored} errored`);
    this.line(`\nDuration: ${seconds.toFixed(1)}s`);
  }
}
