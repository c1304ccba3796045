/** Programs made of the sources as they are now: `dist` may be older, or missing. */
import * as Esbuild from "esbuild"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { quoted } from "../../src/exec/ShellQuote.ts"
import { path, repository } from "./plugin.ts"

/** A page that does nothing. */
export const page = { script: "// the script", style: "/* the style */" }

/** The first lines of a program that our Node.js runs. Its path may have spaces, which the first line cannot name. */
const shebang = `#!/bin/sh\n":" //; exec ${quoted(process.execPath)} "$0" "$@"`

/** Writes an executable that runs a module, given by its path or its text, with all that it imports. */
export const executable = async (file: string, module: { readonly path: string } | { readonly text: string }) => {
  await Esbuild.build({
    ...("path" in module
      ? { entryPoints: [Path.join(repository, module.path)] }
      : { stdin: { contents: module.text, resolveDir: repository, loader: "ts" as const } }),
    outfile: file,
    bundle: true,
    platform: "node",
    format: "cjs",
    mainFields: ["module", "main"],
    define: { PAGE: JSON.stringify(page) },
    banner: { js: shebang },
    logLevel: "error"
  })
  Fs.chmodSync(file, 0o755)
  return file
}

/** Starts a program whose stdout and stderr are pipes, as in a shell: Node.js itself gives sockets to its children. */
export const start = (folder: string, program: string, args: ReadonlyArray<string>) => {
  const streams = ["stdout", "stderr"].map((name) => {
    const pipe = Fs.mkdtempSync(Path.join(folder, `.${name}-`)) + "/pipe"
    ChildProcess.execFileSync("mkfifo", [pipe])
    const reader = ChildProcess.spawn("cat", [pipe], { stdio: ["ignore", "pipe", "inherit"] })
    const stream = { text: "", descriptor: Fs.openSync(pipe, "r+"), closed: Promise.resolve() }
    reader.stdout.on("data", (chunk: Buffer) => stream.text += chunk)
    stream.closed = new Promise((resolve) => reader.on("close", () => resolve()))
    return stream
  })
  const [stdout, stderr] = streams as [typeof streams[number], typeof streams[number]]
  const child = ChildProcess.spawn(program, args, {
    env: { PATH: path },
    stdio: ["ignore", stdout.descriptor, stderr.descriptor]
  })
  for (const { descriptor } of streams) Fs.closeSync(descriptor)
  const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("exit", resolve))
  return {
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    stdout: () => stdout.text,
    stderr: () => stderr.text,
    /** How it ended, with all that it printed. */
    ended: async () => {
      const status = await ended
      await Promise.all(streams.map(({ closed }) => closed))
      return { status, stdout: stdout.text, stderr: stderr.text }
    },
    [Symbol.dispose]: () => void child.kill("SIGKILL")
  }
}
