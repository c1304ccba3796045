/** The live services of the plugin. Only `main.ts` and the library's entry use them. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as HostTools from "../exec/HostTools.ts"
import { nodeProcessRunner } from "../exec/NodeProcessRunner.ts"
import { ProcessRunner } from "../exec/ProcessRunner.ts"
import * as ConfiguredSinks from "../sinks/ConfiguredSinks.ts"
import { LogSink } from "../sinks/LogSink.ts"
import { EnvReader } from "./EnvReader.ts"
import { HookRunner } from "./HookRunner.ts"
import type { InvokedAs } from "./InvokedAs.ts"
import { envReaderLive } from "./live/EnvReaderLive.ts"
import { policiesLive } from "./live/PoliciesLive.ts"
import { resultWriterLive } from "./live/ResultWriterLive.ts"
import { shimStdin, stdinReaderLive } from "./live/StdinReaderLive.ts"
import * as WrappedPluginLive from "./live/WrappedPluginLive.ts"
import { Policies } from "./Policy.ts"
import { ResultWriter } from "./ResultWriter.ts"
import { StdinReader } from "./StdinReader.ts"
import { WrappedPlugin } from "./WrappedPlugin.ts"

/** The services as a context, because building layers takes 5 % of a whole run. */
export const context = Context.make(EnvReader, envReaderLive).pipe(
  Context.add(StdinReader, stdinReaderLive),
  Context.add(ProcessRunner, nodeProcessRunner),
  Context.add(LogSink, ConfiguredSinks.make(nodeProcessRunner)),
  Context.add(HookRunner, HookRunner.make(nodeProcessRunner)),
  Context.add(ResultWriter, resultWriterLive),
  Context.add(Policies, policiesLive)
)

/** The services of a run as a wrapped plugin. */
export const shimContext = (invokedAs: InvokedAs) => {
  const { reader, unfinished } = shimStdin()
  return context.pipe(
    Context.add(StdinReader, reader),
    Context.add(HostTools.HostTools, HostTools.make(process.env, [invokedAs.folder])),
    Context.add(WrappedPlugin, WrappedPluginLive.make(invokedAs, nodeProcessRunner, unfinished))
  )
}

/**
 * All live services as a layer. Replace services with `Layer.provideMerge(yours, layer)`. {@link HookRunner} and the
 * configured sinks keep the live {@link ProcessRunner}, even if you replace that service.
 */
export const layer = /* @__PURE__ */ Layer.succeedContext(context)
