/**
 * Hands messages to `logger` of util-linux. The runtimes have no datagram sockets in the file system; `logger` is on
 * practically every host, and takes 2 ms for a message.
 */
import * as Effect from "effect/Effect"
import { type Environment, searchPath } from "../cni/Environment.ts"

const missing = "there is no `logger` on PATH: install util-linux (on Debian and Ubuntu the package bsdutils)"

/** Starts `logger` with these options and this text on its stdin. Fails with what it says. */
export const run = (
  options: ReadonlyArray<string>,
  input: string,
  environment: Environment
): Effect.Effect<void, Error> =>
  Effect.callback((resume) => {
    const child = process.getBuiltinModule("node:child_process").spawn("logger", options, {
      env: { PATH: searchPath(environment) },
      cwd: "/",
      stdio: ["pipe", "ignore", "pipe"]
    })
    let complaint = ""
    child.stderr.on("data", (chunk: Buffer) => complaint += chunk)
    child.on("error", (error: NodeJS.ErrnoException) =>
      resume(Effect.fail(error.code === "ENOENT" ? new Error(missing) : error)))
    // It exits with 0 even where a message could not be sent.
    child.on("close", (status) =>
      resume(
        status === 0 && complaint === "" ?
          Effect.void :
          Effect.fail(new Error(complaint.trim() || `logger ended with status ${status}`))
      ))
    child.stdin.on("error", () => {})
    child.stdin.end(input)
    return Effect.sync(() =>
      child.kill("SIGKILL")
    )
  })
