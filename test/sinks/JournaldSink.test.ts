/** What goes to the journal, on a host with one and on a host without. */
import { assert, describe } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { path, repository, temporary } from "../support/plugin.ts"
import { itWithMounts } from "../support/requirements.ts"
import { script } from "../support/scripts.ts"

/** Writes a record to the sink in a file system whose /run is prepared by a shell command. Returns what that says. */
const logged = (folder: string, prepare: string): string => {
  const program = `
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { nodeProcessRunner } from "${repository}/src/exec/NodeProcessRunner.ts"
import { ProcessRunner } from "${repository}/src/exec/ProcessRunner.ts"
import * as JournaldSink from "${repository}/src/sinks/JournaldSink.ts"
import { LogSink } from "${repository}/src/sinks/LogSink.ts"
import { make, record } from "${repository}/test/support/request.ts"

const layer = JournaldSink.layer({ identifier: "tap" }).pipe(
  Layer.provide(Layer.succeed(ProcessRunner, nodeProcessRunner))
)
const { name, write } = await Effect.runPromise(Effect.scoped(Effect.flatMap(
  Effect.provide(LogSink, layer),
  (sink) => sink.open({ environment: make("ADD", {}).environment, sinks: [], logTimeout: 0 })
)))
console.log(await Effect.runPromise(Effect.match(write(record("ADD", {})), {
  onSuccess: () => name + ": written",
  onFailure: ({ message }) => message
})))
`
  const file = `${folder}/program.ts`
  Fs.writeFileSync(file, program)
  Fs.symlinkSync(`${repository}/node_modules`, `${folder}/node_modules`)
  const { stderr, stdout } = ChildProcess.spawnSync(
    "unshare",
    ["--mount", "sh", "-ec", `mount -t tmpfs tmpfs /run; ${prepare}; exec "$@"`, "sh", process.execPath, file],
    { encoding: "utf8", env: { PATH: `${folder}:${path}` }, timeout: 30_000, killSignal: "SIGKILL" }
  )
  return stdout === "" ? stderr : stdout.trimEnd()
}

describe("a sink of the journal", () => {
  itWithMounts("hands fields to logger, a line each", () => {
    using folder = temporary()
    script(`${folder.path}/logger`, `echo "$*" > ${folder.path}/options; cat > ${folder.path}/stdin`)
    const socket = "mkdir -p /run/systemd/journal; touch /run/systemd/journal/socket"
    assert.strictEqual(logged(folder.path, socket), "journald: written")
    assert.strictEqual(Fs.readFileSync(`${folder.path}/options`, "utf8"), "--journald\n")
    const lines = Fs.readFileSync(`${folder.path}/stdin`, "utf8").split("\n")
    assert.strictEqual(lines[0], "MESSAGE=ADD eth0 of container-1 on net: request")
    assert.includeMembers(lines, ["SYSLOG_IDENTIFIER=tap", "CNI_CONTAINERID=container-1"])
    assert.strictEqual(lines.at(-1), "")
  })

  itWithMounts("fails with what logger says", () => {
    using folder = temporary()
    script(`${folder.path}/logger`, "echo 'no journal' >&2")
    const socket = "mkdir -p /run/systemd/journal; touch /run/systemd/journal/socket"
    assert.strictEqual(logged(folder.path, socket), "journald: no journal")
  })

  itWithMounts("fails where no journal is there, and says what is missing", () => {
    using folder = temporary()
    assert.strictEqual(
      logged(folder.path, "true"),
      "journald: there is no /run/systemd/journal/socket: does systemd-journald run on this host?"
    )
  })
})
