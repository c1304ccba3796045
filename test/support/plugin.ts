/** Runs the built plugin the way a runtime does. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

export const repository = Path.resolve(import.meta.dirname, "../..")

/** Whether the tests of this run are about the executable that needs no Node.js. */
export const isStandalone = process.env["PASSTHROUGH_FORM"] === "standalone"

const dist = Path.join(repository, isStandalone ? "dist/standalone" : "dist")

/** The executable under test. */
export const plugin = Path.join(dist, "passthrough")

/** The companion command in the same form. */
export const command = Path.join(dist, "cni-passthrough")

/** Why tests of the executables in a folder cannot run; undefined if they can. */
export const whyUnbuilt = (folder: string): string | undefined => {
  const missing = ["passthrough", "cni-passthrough"].filter((name) => !Fs.existsSync(Path.join(folder, name)))
  return missing.length === 0
    ? undefined
    : `${folder} has no ${missing.join(", ")}: build it first, with npm run build:standalone`
}

// Tests of a program that is missing would wait for what it never prints.
const unbuilt = isStandalone ? whyUnbuilt(dist) : undefined
if (unbuilt !== undefined) throw new Error(unbuilt)

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Invocation {
  readonly env?: { readonly [name: string]: string }
  readonly stdin?: string | Uint8Array
  readonly args?: ReadonlyArray<string>
  readonly cwd?: string
  /** A command that starts the plugin instead of us, such as `nsenter`, with its options. */
  readonly via?: ReadonlyArray<string>
}

/** What `#!/usr/bin/env node` needs to find the Node.js that runs the tests. */
export const path = `${Path.dirname(process.execPath)}:/usr/sbin:/usr/bin:/sbin:/bin`

/** The variables of an attachment, as runtimes send them. */
export const attachment = {
  CNI_CONTAINERID: "container-1",
  CNI_NETNS: "/run/netns/no-such-namespace",
  CNI_IFNAME: "eth0",
  CNI_PATH: "/opt/cni/bin"
} as const

/** Starts the plugin, and waits until it has ended and its stdout and stderr are closed, as runtimes do. */
export const run = (invocation: Invocation): Promise<Run> =>
  new Promise((resolve, reject) => {
    const [program = plugin, ...args] = [...(invocation.via ?? []), plugin, ...(invocation.args ?? [])]
    const child = ChildProcess.spawn(program, args, {
      env: { PATH: path, ...invocation.env },
      cwd: invocation.cwd ?? "/"
    })
    const stdout: Array<Buffer> = []
    const stderr: Array<Buffer> = []
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk))
    child.on("error", reject)
    child.on(
      "close",
      (code) => resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() })
    )
    child.stdin.on("error", () => {})
    child.stdin.end(invocation.stdin ?? "")
  })

/** Runs a verb of an attachment with a network configuration, given as its fields or as its text. */
export const call = (
  command: string,
  config: object | string,
  env: { readonly [name: string]: string } = {},
  via: ReadonlyArray<string> = []
): Promise<Run> =>
  run({
    via,
    env: { ...attachment, CNI_COMMAND: command, ...env },
    stdin: typeof config === "string"
      ? config
      : JSON.stringify({ cniVersion: "1.1.0", name: "testing-net", type: "passthrough", ...config })
  })

/** A folder of the test's own, that is gone when the test is. */
export const temporary = (): { readonly path: string; readonly [Symbol.dispose]: () => void } => {
  const path = Fs.mkdtempSync(Path.join(Os.tmpdir(), "passthrough-test-"))
  return { path, [Symbol.dispose]: () => Fs.rmSync(path, { recursive: true, force: true }) }
}

/** The JSON records of a log. */
// oxlint-disable-next-line typescript/no-explicit-any
export const records = (file: string): Array<any> =>
  Fs.readFileSync(file, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line))

/** The processes whose command line has `text` in it. */
export const processesWith = (text: string): ReadonlyArray<string> =>
  Fs.readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && pid !== String(process.pid)).filter((pid) => {
    try {
      return Fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").includes(text)
    } catch {
      return false
    }
  })
