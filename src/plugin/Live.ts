/** The live services of the plugin: this process, this host. Only `main` and the library's entry know them. */
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

/** The services as they are. Building them as layers takes 5 % of a whole run. */
export const context = Context.make(EnvReader, envReaderLive).pipe(
  Context.add(StdinReader, stdinReaderLive),
  Context.add(ProcessRunner, nodeProcessRunner),
  Context.add(LogSink, ConfiguredSinks.make(nodeProcessRunner)),
  Context.add(HookRunner, HookRunner.make(nodeProcessRunner)),
  Context.add(ResultWriter, resultWriterLive),
  Context.add(Policies, policiesLive)
)

/** The services of a run around a plugin. */
export const around = (called: InvokedAs) => {
  const { reader, unfinished } = shimStdin()
  return context.pipe(
    Context.add(StdinReader, reader),
    Context.add(HostTools.HostTools, HostTools.make(process.env, [called.folder])),
    Context.add(WrappedPlugin, WrappedPluginLive.make(called, nodeProcessRunner, unfinished))
  )
}

/** The services as a layer. Provide your own beside it to replace any of them. */
export const layer = /* @__PURE__ */ Layer.succeedContext(context)
