/** Where the tools of the host are looked for, and what they see. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as HostTools from "../../src/exec/HostTools.ts"
import * as Stub from "../../src/host/Stub.ts"
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
  })

  it("is in no folder of plugins that somebody names besides, such as the one that we were called in", () => {
    using host = make()
    host.write(host.first)
    assert.strictEqual(host.find({}, [host.first]), "second")
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
