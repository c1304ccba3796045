/** The executable of the companion command: runs it with the live services, and reports its errors. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import { nodeProcessRunner } from "../exec/NodeProcessRunner.ts"
import { ProcessRunner } from "../exec/ProcessRunner.ts"
import { version } from "../Version.ts"
import { command } from "./Companion.ts"
import * as Errors from "./Errors.ts"
import { PageAssets } from "./PageAssets.ts"
import * as Presenter from "./Presenter.ts"
import * as Print from "./Print.ts"
import * as Progress from "./Progress.ts"

/** The build makes this from `src/render/html/page`. */
declare const PAGE: PageAssets["Service"]

const layer = Progress.layer.pipe(
  Layer.provide(Layer.succeed(ProcessRunner, nodeProcessRunner)),
  Layer.provideMerge(Layer.mergeAll(NodeServices.layer, Presenter.layer, Layer.succeed(PageAssets, PAGE)))
)

// Closing the terminal ends a command like SIGTERM does, so that it cleans up first.
process.on("SIGHUP", () => void process.emit("SIGTERM"))

command.pipe(
  Command.run({ version }),
  Errors.misused,
  Print.guarded,
  Errors.reported,
  Effect.provideService(References.LogToStderr, true),
  Effect.provide(layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
