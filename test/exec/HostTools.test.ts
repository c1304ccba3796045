/** Where the tools of the host are looked for, and what they see. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Invocation } from "../../src/exec/Execution.ts"
import * as HostTools from "../../src/exec/HostTools.ts"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as Stub from "../../src/wrap/Stub.ts"
import { temporary } from "../support/plugin.ts"

/** A folder that is first on PATH, and one after it which has the tool. */
const make = () => {
  const root = temporary()
  const [first, second] = ["first", "second"].map((name) => Path.join(Fs.realpathSync(root.path), name)) as [
    string,
    string
  ]
  for (const folder of [first, second]) Fs.mkdirSync(folder)
  const write = (folder: string, text = "#!/bin/sh\n", mode = 0o755) =>
    Fs.writeFileSync(Path.join(folder, "bridge"), text, { mode })
  write(second)
  const find = (variables: { readonly [name: string]: string } = {}, pluginFolders: ReadonlyArray<string> = []) => {
    const found = HostTools.make({ PATH: `${first}:${second}`, ...variables }, pluginFolders).find("bridge")
    return found === undefined ? undefined : Path.basename(Path.dirname(found))
  }
  return { root: root.path, first, second, write, find, [Symbol.dispose]: root[Symbol.dispose] }
}

describe("a tool of the host", () => {
  it("is the first of its name on PATH that can be executed", () => {
    using host = make()
    assert.strictEqual(host.find(), "second")
    host.write(host.first, "", 0o644)
    assert.strictEqual(host.find(), "second")
    Fs.chmodSync(Path.join(host.first, "bridge"), 0o755)
    assert.strictEqual(host.find(), "first")
  })

  it("is in no folder of CNI_PATH, by whatever name PATH has that", () => {
    using host = make()
    host.write(host.first)
    Fs.symlinkSync(host.first, `${host.root}/link`)
    assert.strictEqual(host.find({ CNI_PATH: `/opt/cni/bin:${host.first}` }), "second")
    assert.strictEqual(host.find({ CNI_PATH: `${host.root}/link` }), "second")
    assert.strictEqual(host.find({ CNI_PATH: "dummy" }), "first")
    assert.strictEqual(host.find({ CNI_PATH: Path.relative(process.cwd(), host.first) }), "first")
  })

  it("is in no folder of plugins that somebody names besides, such as the one that we were called in", () => {
    using host = make()
    host.write(host.first)
    assert.strictEqual(host.find({}, [host.first]), "second")
  })

  it("is in another folder that is asked for where PATH has none, though plugins are there too, but not their stubs", () => {
    using host = make()
    const others = [host.first]
    const find = () => HostTools.make({ PATH: host.root, CNI_PATH: host.first }).find("bridge", others)
    assert.isUndefined(find())
    host.write(host.first)
    assert.strictEqual(find(), `${host.first}/bridge`)
    host.write(host.first, Stub.text(Stub.places(host.first)))
    assert.isUndefined(find())
    assert.strictEqual(HostTools.make({ PATH: host.second }).find("bridge", others), `${host.second}/bridge`)
  })

  it("is in no folder whose plugins are wrapped", () => {
    using host = make()
    host.write(host.first)
    Fs.mkdirSync(`${host.first}/.passthrough`)
    assert.strictEqual(host.find(), "second")
  })

  it("is no stub of a wrapped plugin, nor a link to a plugin", () => {
    using host = make()
    host.write(host.first, Stub.text(Stub.places("/somewhere/cni")))
    assert.strictEqual(host.find(), "second")
    const plugins = Path.join(host.root, "plugins")
    Fs.mkdirSync(plugins)
    host.write(plugins)
    Fs.rmSync(`${host.first}/bridge`)
    Fs.symlinkSync(`${plugins}/bridge`, `${host.first}/bridge`)
    assert.strictEqual(host.find(), "first")
    assert.strictEqual(host.find({ CNI_PATH: plugins }), "second")
  })

  it("is not this executable itself", () => {
    using host = make()
    Fs.symlinkSync(process.execPath, `${host.first}/bridge`)
    assert.strictEqual(host.find(), "second")
  })

  it("is not looked for beside the working directory", () => {
    using host = make()
    host.write(host.first)
    assert.strictEqual(host.find({ PATH: `${Path.relative(process.cwd(), host.first)}::${host.second}` }), "second")
  })

  it("sees no variable of CNI, and no folder of plugins on PATH", () => {
    using host = make()
    using _ = vi.spyOn(process, "getuid").mockReturnValue(0) // others have the sbin folders besides
    const { env } = HostTools.make({
      PATH: `${host.first}:${host.second}`,
      CNI_PATH: host.first,
      CNI_COMMAND: "ADD",
      CNI_PASSTHROUGH_PARENT: "1",
      HOME: "/root"
    })
    assert.deepInclude(env, { PATH: host.second, HOME: "/root", LC_ALL: "C", [HostTools.insideTool]: "1" })
    assert.deepStrictEqual(Object.keys(env).filter((name) => name.startsWith("CNI_")), [])
  })
})

describe("the folders of tools", () => {
  it("are those of PATH for root, and the sbin folders too for others, whose PATH may lack them", () => {
    const path = () => HostTools.make({ PATH: "/no-such-folder:relative" }).env["PATH"]
    using getuid = vi.spyOn(process, "getuid").mockReturnValue(0)
    assert.strictEqual(path(), "/no-such-folder")
    getuid.mockReturnValue(1000)
    assert.strictEqual(path(), "/no-such-folder:/usr/sbin:/sbin")
  })
})

describe("a call of a tool", () => {
  /** What is run for a call on a host with these tools, or why nothing is. */
  const called = (call: HostTools.Call, tools: ReadonlyArray<string>) => {
    const invocations: Array<Invocation> = []
    const runner = ProcessRunner.of({
      run: (invocation) => {
        invocations.push(invocation)
        return Effect.fail(new NotStarted({ program: "", reason: "why", code: "EACCES", cause: undefined }))
      }
    })
    const find = (name: string) => tools.includes(name) ? `/sbin/${name}` : undefined
    const { message } = Effect.runSync(
      Effect.flip(HostTools.run(call)).pipe(
        Effect.provideService(ProcessRunner, runner),
        Effect.provideService(HostTools.HostTools, { find, env: { LC_ALL: "C" } })
      )
    )
    return invocations[0] ?? message
  }
  const env = { LC_ALL: "C" }

  it("runs the tool that is found, or the file that has a path, with the rest of the call", () => {
    assert.deepStrictEqual(called({ argv: ["ip", "link"], stdin: "x" }, ["ip"]), {
      argv: ["/sbin/ip", "link"],
      stdin: "x",
      env
    })
    assert.deepStrictEqual(called({ argv: ["/opt/ip"] }, []), { argv: ["/opt/ip"], env })
  })

  it("runs it in a network namespace", () => {
    assert.deepStrictEqual(called({ argv: ["ip", "link"], netns: "/run/netns/a" }, ["ip", "nsenter"]), {
      argv: ["/sbin/nsenter", "--net=/run/netns/a", "--", "/sbin/ip", "link"],
      env
    })
  })

  it("fails where a tool is missing, and says which", () => {
    const missing = (tool: string) => `cannot start ${tool}: ENOENT: no such file or directory`
    assert.strictEqual(called({ argv: ["ip"] }, ["nsenter"]), missing("ip"))
    assert.strictEqual(called({ argv: ["ip"], netns: "/run/netns/a" }, ["ip"]), missing("nsenter"))
  })

  it("finds none in folders of plugins that are named besides", () => {
    using host = make()
    using _ = vi.spyOn(process, "env", "get").mockReturnValue({ PATH: `${host.first}:${host.second}` })
    host.write(host.first)
    const find = Effect.map(HostTools.HostTools, (tools) => tools.find("bridge"))
    assert.strictEqual(Effect.runSync(HostTools.withoutPluginFolders([host.first])(find)), `${host.second}/bridge`)
    assert.strictEqual(Effect.runSync(HostTools.withoutPluginFolders([])(find)), `${host.first}/bridge`)
  })
})
