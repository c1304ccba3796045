/** A plugin that we stand around, in a folder of the test, and calls of it with and without us. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Stub from "../../src/wrap/Stub.ts"
import { attachment, path, plugin, records, temporary } from "./plugin.ts"

/** How a process ended, as whoever started it sees it. */
export interface Outcome {
  readonly status: number | null
  readonly signal: string | null
  readonly stdout: Buffer
  readonly stderr: Buffer
}

interface Options {
  readonly env?: { readonly [name: string]: string }
  readonly args?: ReadonlyArray<string>
  readonly stdin?: string | Uint8Array
  readonly cwd?: string
  /** A shell command that starts the plugin, which is `"$@"` in it. */
  readonly via?: string
}

/** A network configuration as a runtime sends it. */
export const config = `{"cniVersion":"1.0.0","name":"n","type":"demo","big":12345678901234567890,"f":1.0}`

const environment = (options: Options) => ({ PATH: path, ...attachment, CNI_COMMAND: "ADD", ...options.env })

const call = (file: string, options: Options): Outcome => {
  const [program = "", ...args] = options.via === undefined
    ? [file, ...options.args ?? []]
    : ["/bin/sh", "-c", options.via, "sh", file, ...options.args ?? []]
  const { error, signal, status, stderr, stdout } = ChildProcess.spawnSync(program, args, {
    env: environment(options),
    cwd: options.cwd ?? "/",
    input: options.stdin ?? config,
    maxBuffer: 2 ** 26
  })
  if (error !== undefined && (error as NodeJS.ErrnoException).code !== "EPIPE") throw error // it need not read its stdin
  return { status, signal, stdout, stderr }
}

/** A folder with one wrapped plugin, which is a file or the text of a script. */
export const wrapped = (source: string, fields?: object | string) => {
  const folder = temporary()
  const places = Stub.places(Path.join(Fs.realpathSync(folder.path), "bin"))
  const [file, log] = [Path.join(places.folder, "demo"), Path.join(folder.path, "log.jsonl")]
  const own = Path.join(places.plugins, "demo")
  Fs.mkdirSync(places.plugins, { recursive: true })
  Fs.copyFileSync(plugin, places.executable)
  if (source.startsWith("/")) Fs.copyFileSync(source, own)
  else Fs.writeFileSync(own, `#!/bin/bash\n${source}\n`, { mode: 0o755 })
  Fs.writeFileSync(file, Stub.text(places), { mode: 0o755 })
  const defaults = { logSinks: [{ type: "file", path: log, format: "json" }], onLogFailure: "ignore" }
  Fs.writeFileSync(places.config, typeof fields === "string" ? fields : JSON.stringify({ ...defaults, ...fields }))
  return {
    path: folder.path,
    places,
    /** What stands in the place of the plugin. */
    file,
    /** The plugin itself. */
    own,
    alone: (options: Options = {}) => call(own, options),
    around: (options: Options = {}) => call(file, options),
    /** Starts the plugin with us around it, and leaves it running. */
    start: (options: Options = {}) => {
      const child = ChildProcess.spawn(file, { env: environment(options), cwd: "/", stdio: ["pipe", "pipe", "pipe"] })
      child.stdin.on("error", () => {}).end(options.stdin ?? config)
      return child
    },
    records: () => records(log),
    [Symbol.dispose]: folder[Symbol.dispose]
  }
}
