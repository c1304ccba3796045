/** The containers that the runtimes of this host list: a second witness, besides namespaces, of what is gone. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ProcessRunner } from "../../exec/ProcessRunner.ts"
import * as ToolOutput from "../../exec/ToolOutput.ts"
import * as Json from "../../json/Json.ts"
import type { Runtime } from "../../runtime/Discovery.ts"
import * as RuntimeAnswers from "../../runtime/RuntimeAnswers.ts"

/** The containers of a runtime, whatever their state: it may still detach those that have ended. */
export interface Listing {
  /** Such as `containerd`. */
  readonly runtime: string
  readonly containers: ReadonlySet<string>
}

/** The answers of all runtimes of a host. */
export interface Answers {
  readonly listings: ReadonlyArray<Listing>
  /** Runtimes that were not asked, each with the tool that this host lacks; undefined if no tool is known to us. */
  readonly unasked: ReadonlyArray<{ readonly runtime: string; readonly tool: string | undefined }>
  /** Why runtimes did not answer. Then nothing is known to be gone. */
  readonly failures: ReadonlyArray<string>
}

/** Returns the identifiers of sandboxes in the output of `crictl pods -o json`, or undefined if the output has another form. */
const sandboxesIn = (output: string): ReadonlyArray<string> | undefined => {
  const document = Json.parse(output)
  const items = Json.isObject(document) ? document["items"] ?? [] : undefined
  if (!Array.isArray(items)) return undefined
  const ids = items.map((item: unknown) => Json.isObject(item) ? item["id"] : undefined)
  return ids.every((id) => typeof id === "string") ? ids : undefined
}

const linesOf = (output: string): ReadonlyArray<string> => output.split("\n").filter((line) => line !== "")

/** What crictl says about a containerd without CRI, as with Docker. It lists no pods, and has none. */
const servesNoPods = /unknown service runtime\./

/** The tool that lists the containers of a runtime: nerdctl and Nomad have no CRI. */
const toolOf = ({ endpoint, name }: Runtime): string | undefined =>
  name === "podman" ? "podman" : endpoint === undefined ? undefined : "crictl"

/** Asks one runtime. */
const ask = Effect.fnUntraced(function*(
  { endpoint, name }: Runtime,
  tool: string
): Effect.fn.Return<Result.Result<ReadonlyArray<string>, string>, never, ProcessRunner> {
  const isPodman = name === "podman"
  const output = yield* ToolOutput.of(
    isPodman
      ? [tool, "ps", "--all", "--quiet", "--no-trunc"]
      : [tool, "--runtime-endpoint", endpoint ?? "", "pods", "--output", "json"]
  )
  if (Result.isFailure(output)) {
    return servesNoPods.test(output.failure) ? Result.succeed([]) : Result.fail(output.failure)
  }
  const ids = isPodman ? linesOf(output.success) : sandboxesIn(output.success)
  return ids === undefined ? Result.fail("crictl pods: its output is not a list of pods") : Result.succeed(ids)
})

/** Asks the runtimes that call plugins which containers they have. */
export const list = Effect.fnUntraced(function*(runtimes: ReadonlyArray<Runtime>) {
  const answers = yield* Effect.forEach(
    runtimes.filter(({ pluginFolders }) => pluginFolders !== undefined),
    Effect.fnUntraced(function*(runtime) {
      const tool = toolOf(runtime)
      const path = tool === undefined ? undefined : yield* RuntimeAnswers.findTool(runtime, tool)
      return { runtime: runtime.name, tool, ids: path === undefined ? undefined : yield* ask(runtime, path) }
    })
  )
  return {
    listings: answers.flatMap(({ ids, runtime }) =>
      ids !== undefined && Result.isSuccess(ids) ? [{ runtime, containers: new Set(ids.success) }] : []
    ),
    unasked: answers.flatMap(({ ids, runtime, tool }) => ids === undefined ? [{ runtime, tool }] : []),
    failures: answers.flatMap(({ ids, runtime }) =>
      ids !== undefined && Result.isFailure(ids) ? [`${runtime} does not list its containers: ${ids.failure}`] : []
    )
  } satisfies Answers as Answers
})
