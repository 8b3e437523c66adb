import { type Change, formatPath } from "./diff.ts";
import { nameOf } from "./state.ts";
import { isObject, isSecret, mask, type Properties, show, type Value } from "./values.ts";

/** `discard` deletes what a replacement has left: part of that step, and not told as one of its own. */
export type StepKind = "same" | "create" | "update" | "replace" | "delete" | "discard";
/** One resource's step, done, planned or failed. */
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

const marks = { same: " ", create: "+", update: "~", replace: "+-", delete: "-", discard: "-" } as const;
const past = {
  same: "unchanged",
  create: "created",
  update: "updated",
  replace: "replaced",
  delete: "deleted",
  discard: "deleted",
} as const;

/** @returns Both values for people; of long texts only from where they begin to differ. */
function contrast(before: Value | undefined, after: Value | undefined): string {
  if (typeof before !== "string" || typeof after !== "string" || before.length < 100)
    return [show(before), show(after)].filter((text) => text !== "").join(" => ");
  const differs = [...before].findIndex((character, at) => character !== after[at]);
  const from = Math.max(0, (differs < 0 ? before.length : differs) - 20);
  return [before, after].map((text) => `…${show(text.slice(from), 80)}`).join(" => ");
}

/** Replaces secrets in all that is shown. */
class Redactor {
  private readonly texts = new Set<string>();

  /** Remembers every string that is a secret's value or a part of one; those below 3 characters are no use. */
  learn(value: Value, inside = false): void {
    if (isSecret(value)) this.learn(value.value, true);
    else if (isObject(value) || Array.isArray(value)) for (const part of Object.values(value)) this.learn(part, inside);
    else if (inside && typeof value === "string" && value.length >= 3) this.texts.add(value);
  }

  hide(text: string): string {
    return [...this.texts]
      .sort((one, other) => other.length - one.length)
      .reduce((shown, known) => shown.replaceAll(known, "[secret]"), text);
  }
}

/** @returns Outputs as the CLI shows them: texts as they are, objects as indented lines. */
function formatOutputs(outputs: Properties): string[] {
  return Object.entries(outputs).map(([key, value]) => `${key}: ${JSON.stringify(mask(value), null, 2)}`);
}

/** Tells people what happens as it happens, and keeps it for the end. */
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

  /** Writes text as it is, but for secrets. */
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
    if (op === "discard" && error === undefined) return;
    this.steps.push({ ...step, error });
    if (op === "same" && error === undefined) return;
    const { preview, diff } = this.options;
    const took = preview ? "" : ` (${seconds.toFixed(1)}s)`;
    const brief = preview || diff ? "" : changes.map(({ path }) => ` ${formatPath(path)}`).join();
    const end = `${error === undefined ? (preview ? op : past[op]) : "failed"}${took}${brief}`;
    this.line(` ${marks[op].padEnd(2)} ${type.padEnd(42)} ${nameOf(urn).padEnd(28)} ${end}`);
    for (const { path, before, after } of preview || diff ? changes : []) {
      const mark = before === undefined ? "+" : after === undefined ? "-" : "~";
      this.line(`      ${mark} ${formatPath(path)}: ${contrast(before, after)}`);
    }
  }

  status(urn: string, message: string): void {
    for (const text of message.split("\n")) this.line(`    ${nameOf(urn)}: ${text}`);
  }

  log(severity: Severity, message: string, urn?: string): void {
    if (severity === "debug") return;
    this.diagnostics.push({ severity, message: this.redactor.hide(message), urn });
    if (severity === "info") this.line(`    ${urn === undefined ? "" : `${nameOf(urn)}: `}${message}`);
  }

  /** Warnings and errors by resource, the outputs, and the counts. */
  end(outputs: Properties, seconds: number): void {
    const told = this.diagnostics.filter(({ severity }) => severity !== "info");
    if (told.length > 0) this.line("\nDiagnostics:");
    for (const [urn, messages] of Map.groupBy(told, (item) => item.urn ?? "")) {
      this.line(`  ${urn === "" ? "program" : `${urn.split("::").at(-2)} ${nameOf(urn)}`}:`);
      for (const { severity, message } of messages) this.line(`    ${severity}: ${message.replaceAll("\n", "\n    ")}`);
    }
    if (Object.keys(outputs).length > 0) this.line("\nOutputs:");
    for (const text of formatOutputs(outputs)) this.line(`  ${text.replaceAll("\n", "\n  ")}`);
    const verb = (op: StepKind) => (this.options.preview && op !== "same" ? `to ${op}` : past[op]);
    const done = Map.groupBy(this.steps, ({ op, error }) => (error === undefined ? verb(op) : "failed"));
    const counts = [...done].map(([how, { length }]) => `${length} ${how}`);
    this.line(`\nResources: ${counts.join(", ") || "none"}; Duration ${seconds.toFixed(1)}s`);
  }
}
