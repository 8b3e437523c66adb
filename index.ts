import { runProgram } from "./components/program.ts";

export const { head, jobName, checks, releases } = await runProgram();
