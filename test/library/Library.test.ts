/** The library as its users see it: the built package, and the examples of README and docs/library.md. */
import { assert, describe, it } from "@effect/vitest"
import * as Esbuild from "esbuild"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Http from "node:http"
import type * as Net from "node:net"
import * as Path from "node:path"
import * as Otlp from "../support/otlp.ts"
import { attachment, path, repository, temporary } from "../support/plugin.ts"

const example = (name: string): string => Path.join(import.meta.dirname, name)
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

/** Runs a plugin of this code. */
const call = (
  code: string
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> =>
  new Promise((resolve) => {
    const project = makeProject()
    const file = `${project.path}/plugin.ts`
    Fs.writeFileSync(file, code)
    const child = ChildProcess.spawn(process.execPath, [file], {
      env: { ...attachment, PATH: path, CNI_COMMAND: "ADD" }
    })
    const output = { stdout: "", stderr: "" }
    child.stdout.on("data", (chunk) => (output.stdout += chunk))
    child.stderr.on("data", (chunk) => (output.stderr += chunk))
    child.on("close", (code) => {
      project[Symbol.dispose]()
      resolve({ code, ...output })
    })
    child.stdin.end(`{"cniVersion":"1.1.0","name":"testing-net","type":"passthrough"}`)
  })

/** Runs the collector's plugin with a collector at this port, instead of the one that it has, which may be taken here. */
const callCollector = (port: number) =>
  call(Fs.readFileSync(example("collector.ts"), "utf8").replaceAll(":8377", `:${port}`))

describe("the examples", () => {
  it.each(
    [
      ["README.md", "plugin.ts"],
      ["docs/library.md", "collector.ts"],
      ["docs/library.md", "exporter.ts"],
      ["docs/library.md", "hook.test.ts"]
    ] as const
  )("in %s include %s, which is tested", (page, name) => {
    const text = Fs.readFileSync(Path.join(repository, page), "utf8")
    assert.include(text, `\`\`\`ts\n${Fs.readFileSync(example(name), "utf8")}\`\`\`\n`)
  })

  it.each(["plugin.ts", "collector.ts", "exporter.ts"])(
    "type-check without settings or types of Node.js: %s",
    (name) => {
      using project = makeProject()
      Fs.copyFileSync(example(name), `${project.path}/plugin.ts`)
      const { status, stdout } = ChildProcess.spawnSync(
        Path.join(modules, ".bin/tsc"),
        ["--noEmit", "--strict", "plugin.ts"],
        { cwd: project.path, env: { PATH: path }, encoding: "utf8", timeout: 300_000 }
      )
      assert.deepStrictEqual({ status, stdout }, { status: 0, stdout: "" })
    }
  )
})

describe("the plugin of README", () => {
  it("writes one line for each record", async () => {
    const { code, stderr, stdout } = await call(Fs.readFileSync(example("plugin.ts"), "utf8"))
    assert.deepStrictEqual({ code, stdout }, { code: 0, stdout: `{"cniVersion":"1.1.0"}` })
    const { CNI_CONTAINERID, CNI_IFNAME } = attachment
    const [request, result, ...others] = stderr.trimEnd().split("\n")
    assert.deepStrictEqual(others, [])
    assert.strictEqual(request, `ADD ${CNI_IFNAME} of ${CNI_CONTAINERID} on testing-net: request`)
    assert.match(result ?? "", /: done in [\d.]+ ms$/)
  })
})

describe("the custom sink of docs/library.md", () => {
  it("gets the records of a run", async () => {
    const received: Array<string> = []
    using collector = await listen((request, response) => {
      request.setEncoding("utf8").on("data", (body) => received.push(JSON.parse(body).event))
      request.on("end", () => response.end())
    })
    assert.deepStrictEqual(await callCollector(collector.port), {
      code: 0,
      stdout: `{"cniVersion":"1.1.0"}`,
      stderr: ""
    })
    assert.deepStrictEqual(received, ["request", "result"])
  })

  it("fails the request with its own words when it cannot take a record", async () => {
    using broken = await listen((request) => void request.socket.destroy())
    const { code, stdout } = await callCollector(broken.port)
    assert.strictEqual(code, 1)
    assert.strictEqual(JSON.parse(stdout).code, 5)
    assert.include(JSON.parse(stdout).msg, `the collector http://127.0.0.1:${broken.port}/records does not answer`)
  })
})

describe("the plugin of docs/library.md that exports", () => {
  const callExporter = (url: string) =>
    call(Fs.readFileSync(example("exporter.ts"), "utf8").replace("http://127.0.0.1:4318", url))

  it("sends the spans of its run", async () => {
    using collector = await Otlp.collector()
    const { code, stdout } = await callExporter(collector.url)
    assert.deepStrictEqual({ code, stdout }, { code: 0, stdout: `{"cniVersion":"1.1.0"}` })
    assert.deepStrictEqual(Otlp.tree(collector.spans), [["ADD eth0 on testing-net", "passthrough"]])
  })

  for (const answer of ["nothing", "hang up"] as const) {
    it(`gives the same answer where the collector does not take them: ${answer}`, async () => {
      using collector = await Otlp.collector(() => answer)
      const { code, stderr, stdout } = await callExporter(collector.url)
      assert.deepStrictEqual({ code, stdout }, { code: 0, stdout: `{"cniVersion":"1.1.0"}` })
      assert.include(stderr, "a log sink cannot be closed")
      assert.include(stderr, collector.url)
    })
  }
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
