/**
 * Runs a program as the invocation says that is the first argument, and writes what came of it to the file that is the
 * second one. With a third argument this process is replaced by the program.
 */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Execution from "../../../src/exec/Execution.ts"
import { nodeProcessRunner } from "../../../src/exec/NodeProcessRunner.ts"
import { replaceProcess } from "../../../src/exec/ProcessReplacement.ts"

const [invocationText = "{}", outcomeFile = "/dev/stdout", replaces] = process.argv.slice(2)

const { environment, more, ...rest } = JSON.parse(invocationText)

/** What follows stdin, piece by piece. */
const moreStdin = () => more.length === 0 ? undefined : Buffer.from(more.shift())

const invocation: Execution.Invocation = {
  ...rest,
  ...(environment === undefined
    ? {}
    : { environment: environment.map((entry: string) => Buffer.from(entry, "latin1")) }),
  ...(more === undefined ? {} : { moreStdin })
}

if (replaces !== undefined) {
  try {
    replaceProcess(invocation)
  } catch (error) {
    Fs.writeFileSync(outcomeFile, JSON.stringify({ message: (error as Error).message }))
  }
} else {
  const outcome = await Effect.runPromise(Effect.match(nodeProcessRunner.run(invocation), {
    onFailure: ({ code, message }) => ({ code, message }),
    onSuccess: (execution) => ({
      ...execution,
      stdout: Execution.text(execution.stdout),
      stderr: Execution.text(execution.stderr)
    })
  }))
  Fs.writeFileSync(outcomeFile, JSON.stringify(outcome))
}
