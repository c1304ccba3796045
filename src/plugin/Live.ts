/** The live services of the plugin. Only `main.ts` and the library's entry use them. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as HostTools from "../exec/HostTools.ts"
import { nodeProcessRunner } from "../exec/NodeProcessRunner.ts"
import { ProcessRunner } from "../exec/ProcessRunner.ts"
import * as ConfiguredSinks from "../sinks/ConfiguredSinks.ts"
import { LogSink } from "../sinks/LogSink.ts"
import { EnvReader } from "./EnvReader.ts"
import { HookRunner } from "./HookRunner.ts"
import type { InvokedAs } from "./InvokedAs.ts"
import { LastOutcomes } from "./LastOutcomes.ts"
import { envReaderLive } from "./live/EnvReaderLive.ts"
import * as LastOutcomesLive from "./live/LastOutcomesLive.ts"
import { policiesLive } from "./live/PoliciesLive.ts"
import { resultWriterLive } from "./live/ResultWriterLive.ts"
import { shimStdin } from "./live/ShimStdin.ts"
import { stdinReaderLive } from "./live/StdinReaderLive.ts"
import * as WrappedPluginLive from "./live/WrappedPluginLive.ts"
import { Policies } from "./Policy.ts"
import { ResultWriter } from "./ResultWriter.ts"
import { StdinReader } from "./StdinReader.ts"
import { WrappedPlugin } from "./WrappedPlugin.ts"

/** The runner that a program was given, which may not be the live one. */
const providedRunner = Effect.contextWith((context: Context.Context<never>) =>
  Effect.succeed(Option.getOrElse(Context.getOption(context, ProcessRunner), () => nodeProcessRunner))
)

const logSink = LogSink.of({
  neverWaits: true,
  open: (run) => Effect.flatMap(providedRunner, (runner) => ConfiguredSinks.make(runner).open(run))
})

const hookRunner = HookRunner.of({
  run: (hook, request) => Effect.flatMap(providedRunner, (runner) => HookRunner.make(runner).run(hook, request))
})

/** The services as a context, because building layers takes 5 % of a whole run. */
export const context = Context.make(EnvReader, envReaderLive).pipe(
  Context.add(StdinReader, stdinReaderLive),
  Context.add(ProcessRunner, nodeProcessRunner),
  Context.add(LogSink, logSink),
  Context.add(HookRunner, hookRunner),
  Context.add(ResultWriter, resultWriterLive),
  Context.add(Policies, policiesLive)
)

/** The services of a run as a wrapped plugin. */
export const shimContext = (invokedAs: InvokedAs) => {
  const { reader, unfinished } = shimStdin()
  return context.pipe(
    Context.add(StdinReader, reader),
    Context.add(LastOutcomes, LastOutcomesLive.make(invokedAs)),
    Context.add(HostTools.HostTools, HostTools.make(process.env, [invokedAs.folder])),
    Context.add(WrappedPlugin, WrappedPluginLive.make(invokedAs, nodeProcessRunner, unfinished))
  )
}

/**
 * All live services as a layer. Replace services with `Layer.provideMerge(yours, layer)`. Hooks and the configured sinks
 * run their programs with your {@link ProcessRunner} if you provide one.
 */
export const layer = /* @__PURE__ */ Layer.succeedContext(context)
