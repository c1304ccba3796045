/** The library as its users see it: the built package, and the example of the README. */
import { assert, describe, it } from "@effect/vitest"
import * as Esbuild from "esbuild"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Http from "node:http"
import type * as Net from "node:net"
import * as Path from "node:path"
import { attachment, path, repository, temporary } from "../support/plugin.ts"

const example = Path.join(import.meta.dirname, "collector.ts")
const modules = Path.join(repository, "node_modules")

/** Starts a server at a port that is free, which answers requests so. */
const listen = async (answer: Http.RequestListener) => {
  const server = Http.createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as Net.AddressInfo
  return { port, [Symbol.dispose]: () => void server.close() }
}

/** A folder that finds our package, and those that are needed to write a plugin. */
const makeProject = () => {
  const project = temporary()
  Fs.mkdirSync(`${project.path}/node_modules/@effect`, { recursive: true })
  Fs.symlinkSync(repository, `${project.path}/node_modules/cni-passthrough`)
  for (const name of ["effect", "@effect/platform-node"]) {
    Fs.symlinkSync(Path.join(modules, name), `${project.path}/node_modules/${name}`)
  }
  return project
}

/** Runs the example with a collector at this port, instead of the one that it has, which may be taken here. */
const callExample = (port: number): Promise<{ readonly code: number | null; readonly stdout: string }> =>
  new Promise((resolve) => {
    const project = makeProject()
    const file = `${project.path}/plugin.ts`
    Fs.writeFileSync(file, Fs.readFileSync(example, "utf8").replaceAll(":8377", `:${port}`))
    const child = ChildProcess.spawn(process.execPath, [file], {
      env: { ...attachment, PATH: path, CNI_COMMAND: "ADD" },
      stdio: ["pipe", "pipe", "inherit"]
    })
    let stdout = ""
    child.stdout.on("data", (chunk) => (stdout += chunk))
    child.on("close", (code) => {
      project[Symbol.dispose]()
      resolve({ code, stdout })
    })
    child.stdin.end(`{"cniVersion":"1.1.0","name":"testing-net","type":"passthrough"}`)
  })

describe("the custom sink of the README", () => {
  it("is the file that these tests run", () => {
    const readme = Fs.readFileSync(Path.join(repository, "README.md"), "utf8")
    assert.include(readme, Fs.readFileSync(example, "utf8").trimEnd())
  })

  it("type-checks in a project without settings, and without the types of Node.js", () => {
    using project = makeProject()
    Fs.copyFileSync(example, `${project.path}/plugin.ts`)
    const { status, stdout } = ChildProcess.spawnSync(
      Path.join(modules, ".bin/tsc"),
      ["--noEmit", "--strict", "plugin.ts"],
      { cwd: project.path, env: { PATH: path }, encoding: "utf8", timeout: 300_000 }
    )
    assert.deepStrictEqual({ status, stdout }, { status: 0, stdout: "" })
  })

  it("gets the records of a run", async () => {
    const received: Array<string> = []
    using collector = await listen((request, response) => {
      request.setEncoding("utf8").on("data", (body) => received.push(JSON.parse(body).event))
      request.on("end", () => response.end())
    })
    assert.deepStrictEqual(await callExample(collector.port), { code: 0, stdout: `{"cniVersion":"1.1.0"}` })
    assert.deepStrictEqual(received, ["request", "result"])
  })

  it("fails the request with its own words when it cannot take a record", async () => {
    using broken = await listen((request) => void request.socket.destroy())
    const { code, stdout } = await callExample(broken.port)
    assert.strictEqual(code, 1)
    assert.strictEqual(JSON.parse(stdout).code, 5)
    assert.include(JSON.parse(stdout).msg, `the collector on 127.0.0.1:${broken.port} does not answer`)
  })
})

describe("the package", () => {
  it("leaves out of a bundle what is not used", async () => {
    using project = temporary()
    Fs.mkdirSync(`${project.path}/node_modules`)
    Fs.symlinkSync(repository, `${project.path}/node_modules/cni-passthrough`)
    const bundled = async (code: string) => {
      const { outputFiles } = await Esbuild.build({
        stdin: { contents: code, resolveDir: project.path },
        bundle: true,
        minify: true,
        platform: "node",
        write: false
      })
      return outputFiles[0]?.text ?? ""
    }
    const verb = await bundled("import { Verb } from \"cni-passthrough\"; console.log(Verb.isVerb(\"ADD\"))")
    assert.isBelow(verb.length, 2000)
    const all = await bundled("import { Passthrough } from \"cni-passthrough\"; console.log(Passthrough.main)")
    assert.isAbove(all.length, 50 * verb.length)
  })
})
