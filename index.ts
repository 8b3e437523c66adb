import "./src/short-lived.ts";

// Imported after that, the program is kept compiled.
const { runProgram } = await import("./program.ts");

export const { head, jobName, checks, releases } = await runProgram();
