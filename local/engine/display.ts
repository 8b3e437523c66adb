import { styleText } from "node:util";

import { formatPath } from "./diff.ts";
import { type Events, nameOf, type Severity, type Step, type StepKind } from "./events.ts";
import { isObject, isSecret, mask, type Properties, show, type Value } from "./values.ts";

const marks = { same: " ", create: "+", update: "~", replace: "+-", delete: "-" } as const;
const colors = { same: "dim", create: "green", update: "yellow", replace: "magenta", delete: "red" } as const;
const past = {
  same: "unchanged",
  create: "created",
  update: "updated",
  replace: "replaced",
  delete: "deleted",
} as const;

/** @returns Both values for people; of long texts only from where they begin to differ. */
function contrast(before: Value | undefined, after: Value | undefined): string[] {
  if (typeof before !== "string" || typeof after !== "string" || before.length < 100)
    return [show(before), show(after)];
  const differs = [...before].findIndex((character, at) => character !== after[at]);
  const from = Math.max(0, (differs < 0 ? before.length : differs) - 20);
  return [show(before.slice(from), 80), show(after.slice(from), 80)].map((text) => (from > 0 ? `…${text}` : text));
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

export interface Diagnostic {
  readonly severity: Severity;
  readonly message: string;
  readonly urn?: string;
}

/** Tells people what happens as it happens, and keeps it for the end. */
export class Display implements Events {
  readonly steps: Step[] = [];
  readonly diagnostics: Diagnostic[] = [];
  private readonly write: (text: string) => void;
  private readonly options: { readonly preview: boolean; readonly diff: boolean; readonly color: boolean };
  readonly redactor = new Redactor();

  constructor(write: (text: string) => void, options: Display["options"]) {
    [this.write, this.options] = [write, options];
  }

  line(text: string): void {
    this.write(`${this.redactor.hide(text)}\n`);
  }

  private paint(color: Parameters<typeof styleText>[0], text: string): string {
    return this.options.color ? styleText(color, text, { validateStream: false }) : text;
  }

  step(step: Step): void {
    const { op, urn, type, changes, seconds } = step;
    const error = step.error === undefined ? undefined : this.redactor.hide(step.error);
    this.steps.push({ ...step, error });
    if (error !== undefined) this.log("error", error, urn);
    if (op === "same" && error === undefined) return;
    const verb = error !== undefined ? this.paint("red", "failed") : this.options.preview ? op : past[op];
    const took = this.options.preview ? "" : ` (${seconds.toFixed(1)}s)`;
    const detailed = this.options.preview || this.options.diff;
    const brief =
      detailed || changes.length === 0 ? "" : ` [${changes.map(({ path }) => formatPath(path)).join(", ")}]`;
    this.line(
      ` ${this.paint(colors[op], marks[op].padEnd(2))} ${type.padEnd(42)} ${nameOf(urn).padEnd(28)} ${verb}${took}${brief}`,
    );
    if (!detailed) return;
    for (const { path, before, after } of changes) {
      const kind: StepKind = before === undefined ? "create" : after === undefined ? "delete" : "update";
      const values = contrast(before, after)
        .filter((text) => text !== "")
        .join(" => ");
      this.line(`      ${this.paint(colors[kind], marks[kind])} ${formatPath(path)}: ${values}`);
    }
  }

  learn(value: Value): void {
    this.redactor.learn(value);
  }

  status(urn: string, message: string): void {
    for (const text of message.split("\n")) this.line(this.paint("dim", `    ${nameOf(urn)}: ${text}`));
  }

  log(severity: Severity, message: string, urn?: string): void {
    if (severity === "debug") return;
    this.diagnostics.push({ severity, message: this.redactor.hide(message), urn });
    if (severity === "info") this.line(`    ${urn === undefined ? "" : `${nameOf(urn)}: `}${message}`);
  }

  /** Warnings and errors by resource, the outputs, and the counts. */
  end(outputs: Properties, seconds: number): void {
    const told = this.diagnostics.filter(({ severity }) => severity !== "info");
    if (told.length > 0) this.line(`\n${this.paint("bold", "Diagnostics:")}`);
    for (const [urn, messages] of Map.groupBy(told, (item) => item.urn ?? "")) {
      this.line(`  ${urn === "" ? "program" : `${urn.split("::").at(-2)} ${nameOf(urn)}`}:`);
      for (const { severity, message } of messages)
        this.line(
          `    ${this.paint(severity === "error" ? "red" : "yellow", severity)}: ${message.replaceAll("\n", "\n    ")}`,
        );
    }
    if (Object.keys(outputs).length > 0) this.line(`\n${this.paint("bold", "Outputs:")}`);
    for (const [key, value] of Object.entries(outputs))
      this.line(`  ${key}: ${JSON.stringify(mask(value), null, 2).replaceAll("\n", "\n  ")}`);
    const done = Map.groupBy(
      this.steps.filter((step) => step.error === undefined),
      ({ op }) => op,
    );
    const verb = (op: StepKind) => (op === "same" ? past.same : this.options.preview ? `to ${op}` : past[op]);
    const counts = (["create", "update", "replace", "delete", "same"] as const)
      .filter((op) => done.has(op))
      .map((op) => `${marks[op].trim()} ${done.get(op)?.length} ${verb(op)}`.trim());
    const failed = this.steps.filter((step) => step.error !== undefined).length;
    this.line(
      `\nResources: ${[...counts, ...(failed > 0 ? [`${failed} failed`] : [])].join(", ") || "none"}; Duration ${seconds.toFixed(1)}s`,
    );
  }
}
