import { runProgram } from "./program.ts";

export const { head, jobName, checks, releases } = await runProgram();
