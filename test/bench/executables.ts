/**
 * All that is run. Every executable is a copy that was made a moment ago, because how a file came into the page cache
 * decides how it is mapped: one that was first read through page faults costs each later start 1.3 times as much.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Stub from "../../src/wrap/Stub.ts"
import { buildIn } from "../support/build.ts"
import { repository } from "../support/plugin.ts"
import { folder } from "./folder.ts"
import { isMissing, type Result } from "./measure.ts"

/** An executable with its first arguments. */
export interface Executable {
  readonly argv: readonly [program: string, ...args: ReadonlyArray<string>]
}

/** Copies a file to a place in our folder. */
const copied = (source: string, ...place: ReadonlyArray<string>): Executable => {
  const copy = Path.join(folder, ...place)
  Fs.mkdirSync(Path.dirname(copy), { recursive: true })
  Fs.copyFileSync(source, copy)
  return { argv: [copy] }
}

const once = <A>(make: () => A): () => A => {
  let made: { readonly value: A } | undefined
  return () => (made ??= { value: make() }).value
}

/** Node.js, the first on the PATH of all that is run. */
const node = once(() => copied(process.execPath, "bin/node"))

/** The PATH of all that is run. */
export const path = once(() => `${Path.dirname(node().argv[0])}:/usr/sbin:/usr/bin:/sbin:/bin`)

/** What Node.js takes for nothing. */
export const emptyNode = once((): Executable => ({ argv: [...node().argv, "-e", "0"] }))

/** The plugin and the command of a build, in one of its forms. */
const formIn = (name: string, dist: string) => ({
  plugin: copied(Path.join(dist, "passthrough"), name, "passthrough"),
  command: copied(Path.join(dist, "cni-passthrough"), name, "cni-passthrough")
})

const dist = Path.join(repository, "dist")
export const standalone = once(() => formIn("standalone", Path.join(dist, "standalone")))
export const script = once(() => formIn("script", dist))

/** The plugin in both forms. */
export const plugins = () => ({ standalone: standalone().plugin, script: script().plugin })

/** The plugin of another build, in both forms. */
export const pluginsOf = (dist: string) => ({
  standalone: copied(Path.join(dist, "standalone/passthrough"), "other/standalone"),
  script: copied(Path.join(dist, "passthrough"), "other/script")
})

/** The script as `cni-passthrough install` puts it in place. */
export const installedScript = once((): Executable => {
  const to = Path.join(folder, "installed")
  Fs.mkdirSync(to)
  ChildProcess.execFileSync(script().command.argv[0], ["install", "--to", to], { env: { PATH: path() } })
  return { argv: [Path.join(to, "passthrough")] }
})

/** An executable of the same make with nothing in it: what the engine costs. */
export const emptyStandalone = once((): Executable => {
  const empty = Path.join(folder, "empty")
  const config = Fs.readFileSync(Path.join(repository, "esbuild.config.mjs"), "utf8")
  for (const [, source = ""] of config.matchAll(/"(src\/[^"]+)"/g)) {
    const file = Path.join(empty, source)
    Fs.mkdirSync(Path.dirname(file), { recursive: true })
    Fs.writeFileSync(file, "")
  }
  buildIn(empty)
  return copied(Path.join(empty, "dist/standalone/passthrough"), "empty-standalone")
})

/** The job of the plugin in Go, where Go and Debian's CNI packages are installed. */
export const goPlugin = once((): Result<Executable> => {
  const outfile = Path.join(folder, "go-built")
  const { status } = ChildProcess.spawnSync("go", ["build", "-o", outfile, "."], {
    cwd: Path.join(import.meta.dirname, "go-tap"),
    env: { ...process.env, GO111MODULE: "off", GOPATH: "/usr/share/gocode" }
  })
  return status === 0
    ? copied(outfile, "go-tap")
    : { reason: "needs Go and CNI (packages golang, golang-github-containernetworking-cni-dev)" }
})

/** The job of the plugin in bash and jq. */
export const shellPlugin = once((): Result<Executable> =>
  ["bash", "jq"].every((tool) => ChildProcess.spawnSync(tool, ["--version"]).error === undefined)
    ? { argv: [Path.join(import.meta.dirname, "shell-tap.sh")] }
    : { reason: "needs bash and jq" }
)

/** The Go plugin with one of our forms around it, which logs in JSON. */
const wrap = (form: "standalone" | "script"): Result<Executable> => {
  const plugin = goPlugin()
  if (isMissing(plugin)) return plugin
  const places = Stub.places(Path.join(folder, "wrapped", form))
  const stub = Path.join(places.folder, "go-tap")
  Fs.mkdirSync(places.plugins, { recursive: true })
  Fs.copyFileSync(plugins()[form].argv[0], places.executable)
  Fs.copyFileSync(plugin.argv[0], Path.join(places.plugins, "go-tap"))
  const fields = { logFile: Path.join(folder, "shim.jsonl"), logFormat: "json", onLogFailure: "ignore" }
  Fs.writeFileSync(places.config, JSON.stringify(fields))
  Fs.writeFileSync(stub, Stub.text(places), { mode: 0o755 })
  return { argv: [stub] }
}

/** The Go plugin with each of our forms around it. */
export const wrapped = once(() => ({ standalone: wrap("standalone"), script: wrap("script") }))

/** The Go plugin, with the script around it that people write themselves: it keeps what goes in and what comes out. */
export const teed = once((): Result<Executable> => {
  const plugin = goPlugin()
  if (isMissing(plugin)) return plugin
  const file = Path.join(folder, "teed")
  const log = Path.join(folder, "teed.log")
  Fs.writeFileSync(file, `#!/bin/sh\ntee -a ${log} | ${plugin.argv[0]} | tee -a ${log}\n`, { mode: 0o755 })
  return { argv: [file] }
})
