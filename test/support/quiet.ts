/** A host of which tests see as much as they say, whatever namespaces and links it has. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Invocation } from "../../src/exec/Execution.ts"
import { nodeProcessRunner } from "../../src/exec/NodeProcessRunner.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

/** Programs as they are, but for an `ip` that finds no links anywhere, and fails with a word where it is told to. */
export const layer = (fails: (argv: Invocation["argv"]) => boolean = () => false): Layer.Layer<ProcessRunner> =>
  Layer.succeed(
    ProcessRunner,
    ProcessRunner.of({
      run: (invocation) =>
        invocation.argv.some((word) => /(?:^|\/)ip$/.test(word))
          ? Effect.succeed({
            argv: invocation.argv,
            stdin: "",
            exitCode: fails(invocation.argv) ? 1 : 0,
            signal: null,
            timedOut: false,
            truncated: false,
            durationMs: 1,
            stdout: bytes("[]\n[]\n[]\n"),
            stderr: bytes("may not\n")
          })
          : nodeProcessRunner.run(invocation)
    })
  )
