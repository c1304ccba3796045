/** The folder of network configurations. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Fs from "node:fs"
import * as ConfFolder from "../../src/conf/ConfFolder.ts"
import { denied, reversed } from "../support/files.ts"
import { temporary } from "../support/plugin.ts"

const onHost = <A, E>(effect: Effect.Effect<A, E, FileSystem.FileSystem | Path.Path>) =>
  Effect.provide(effect, reversed)

/** A folder with these files in it. */
const folderOf = (files: { readonly [name: string]: object | string }) => {
  const folder = temporary()
  for (const [name, content] of Object.entries(files)) {
    Fs.writeFileSync(`${folder.path}/${name}`, typeof content === "string" ? content : JSON.stringify(content))
  }
  return folder
}

const chain = (name: string, ...types: ReadonlyArray<string>) => ({
  cniVersion: "1.0.0",
  name,
  plugins: types.map((type) => ({ type }))
})

/** The message of a load that fails, without the path of the folder. */
const failure = (network: string, folder: { readonly path: string }) =>
  Effect.map(
    Effect.flip(onHost(ConfFolder.load(network, folder.path))),
    ({ message }) => message.replaceAll(`${folder.path}/`, "").replaceAll(folder.path, "DIR")
  )

describe("a network", () => {
  it.effect("is found by its name, in the first file in the order of runtimes", () =>
    Effect.gen(function*() {
      using folder = folderOf({
        "20-b.conf": { name: "b", type: "bridge" },
        "10-a.conflist": chain("a", "bridge"),
        "30-a.conflist": chain("a", "ptp"),
        ".10-a.conflist.7.new": chain("a", "none"),
        "99-readme.txt": "The networks a, b and c"
      })
      const { list, path } = yield* onHost(ConfFolder.load("a", folder.path))
      assert.strictEqual(path, `${folder.path}/10-a.conflist`)
      assert.deepStrictEqual(list.plugins.map(({ type }) => type), ["bridge"])
      assert.strictEqual(yield* failure("c", folder), `no network "c" in DIR: it has a, a, b`)
    }))

  it.effect("is named where it is in a file whose ending hides it from runtimes, with what to do", () =>
    Effect.gen(function*() {
      using folder = folderOf({
        "10-a.conflist": chain("a", "bridge"),
        "20-b.conflist.rpmsave": chain("b", "bridge"),
        "20-c.conf~": { name: "c", type: "bridge" },
        "30-d.yaml": "name: d # the fourth\nplugins:\n- type: bridge\n",
        "40-e.json5": "{name: 'e', plugins: []}",
        ".50-f.conflist.swp": chain("f", "bridge")
      })
      const about = (name: string) =>
        Effect.map(failure(name, folder), (message) => message.replace(`no network "${name}" in DIR: it has a`, ""))
      const alone = "has it, but runtimes load .conflist, .conf and .json alone"
      assert.deepStrictEqual(yield* Effect.forEach(["b", "c", "d", "e", "f", "g"], about), [
        `\n20-b.conflist.rpmsave ${alone}: rename 20-b.conflist.rpmsave to 20-b.conflist`,
        `\n20-c.conf~ ${alone}: rename 20-c.conf~ to 20-c.conf`,
        `\n30-d.yaml ${alone}: write 30-d.yaml as JSON into a .conflist`,
        `\n40-e.json5 ${alone}: write 40-e.json5 as JSON into a .conflist`,
        "",
        ""
      ])
    }))

  it.effect("is named in each hidden file that has it, and in none that only looks like it", () =>
    Effect.gen(function*() {
      using folder = folderOf({
        "1.yaml": "name: a.b\nplugins: []\n",
        "2.yaml": "name: a.b",
        "3.yaml": "name: a.bc\nplugins: []\n",
        "4.yaml": "name: axb\nplugins: []\n",
        "5.yaml": "name: x\ntype: a.b\n"
      })
      const message = yield* failure("a.b", folder)
      const [first, ...hidden] = message.split("\n")
      assert.strictEqual(first, `no network "a.b" in DIR: it has no networks`)
      assert.deepStrictEqual(hidden.map((line) => line.split(" ")[0]), ["1.yaml", "2.yaml"])
    }))

  it.effect("is not found after a file that is not there, as a link may say", () =>
    Effect.gen(function*() {
      using folder = folderOf({ "10-a.conflist": chain("a", "bridge") })
      Fs.symlinkSync("/none", `${folder.path}/05.conflist`)
      assert.strictEqual(yield* failure("a", folder), "cannot read 05.conflist: there is no such file or folder")
    }))

  it.effect("is not found in a folder that cannot be listed", () =>
    Effect.gen(function*() {
      using folder = folderOf({ file: "" })
      const error = yield* Effect.flip(onHost(ConfFolder.load("a", `${folder.path}/file`)))
      assert.strictEqual(error.message, `cannot read ${folder.path}/file: not a directory`)
    }))

  it.effect("is found in a list before it is found in a configuration of one plugin", () =>
    Effect.gen(function*() {
      using folder = folderOf({
        "10-a.conf": { name: "a", type: "ptp" },
        "20-a.json": { name: "a", type: "macvlan" },
        "90-a.conflist": chain("a", "bridge")
      })
      assert.strictEqual((yield* onHost(ConfFolder.load("a", folder.path))).path, `${folder.path}/90-a.conflist`)
      Fs.rmSync(`${folder.path}/90-a.conflist`)
      assert.strictEqual((yield* onHost(ConfFolder.load("a", folder.path))).path, `${folder.path}/10-a.conf`)
    }))

  it.effect("is found after a folder that is called like a list", () =>
    Effect.gen(function*() {
      using folder = folderOf({ "20-a.conflist": chain("a", "bridge") })
      Fs.mkdirSync(`${folder.path}/10-x.conflist`)
      assert.strictEqual((yield* onHost(ConfFolder.load("a", folder.path))).list.name, "a")
    }))

  const stopping: ReadonlyArray<readonly [why: string, file: string, content: object | string, message: string]> = [
    ["that is null", "05.conflist", "null", "05.conflist:1:1: found null, expected an object"],
    [
      "whose name is not a text",
      "05.conflist",
      { ...chain("x", "ptp"), name: 5 },
      "05.conflist:1:30: name: found 5, expected a letter or digit, then letters, digits, '_', '.' or '-'"
    ],
    [
      "whose version cannot be used although it offers a choice",
      "05.conflist",
      { ...chain("x", "ptp"), cniVersion: "x", cniVersions: ["1.0.0"] },
      "05.conflist:1:15: cniVersion: found \"x\", expected a version such as \"1.0.0\""
    ],
    [
      "with a byte-order mark",
      "05.conflist",
      "\uFEFF{}",
      "05.conflist:1:1: a byte-order mark, which runtimes do not read"
    ],
    ["that is not JSON", "05.conflist", "{", "05.conflist:1:2: the end of the file where \",\" or \"}\" should be"],
    [
      "without plugins",
      "05.conflist",
      { name: "x" },
      "05.conflist:1:1: plugins: found nothing, expected a list of at least one plugin"
    ],
    [
      "with one plugin in a file for lists",
      "05.conflist",
      { name: "x", type: "ptp" },
      "05.conflist:1:1: plugins: found nothing, expected a list of at least one plugin"
    ],
    [
      "with a switch of a wrong type",
      "05.conflist",
      { ...chain("x", "ptp"), disableCheck: 1 },
      "05.conflist:1:76: disableCheck: found 1, expected true or false"
    ]
  ]
  for (const [why, file, content, message] of stopping) {
    it.effect(`is not looked for after a file ${why}, as runtimes stop there`, () =>
      Effect.gen(function*() {
        using folder = folderOf({ [file]: content, "10-a.conflist": chain("a", "bridge") })
        assert.strictEqual(yield* failure("a", folder), message)
      }))
  }

  it.effect("is not looked for after a list in a file for one plugin", () =>
    Effect.gen(function*() {
      using folder = folderOf({ "05.conf": chain("x", "ptp"), "10-a.conf": { name: "a", type: "ptp" } })
      assert.strictEqual(
        yield* failure("a", folder),
        "05.conf:1:1: found no type, expected one plugin, as the file is not called .conflist"
      )
    }))

  it.effect("is what the name of its file says, where it could be a list and one plugin", () =>
    Effect.gen(function*() {
      const both = { ...chain("a", "ptp"), type: "macvlan", disableCheck: true }
      using folder = folderOf({ "a.conf": both })
      const { list } = yield* onHost(ConfFolder.load("a", folder.path))
      assert.deepStrictEqual([list.plugins.map(({ type }) => type), list.disableCheck], [["macvlan"], false])
      Fs.renameSync(`${folder.path}/a.conf`, `${folder.path}/a.conflist`)
      const { list: asList } = yield* onHost(ConfFolder.load("a", folder.path))
      assert.deepStrictEqual([asList.plugins.map(({ type }) => type), asList.disableCheck], [["ptp"], true])
    }))

  it.effect("is found after a file whose name or version no plugin would take", () =>
    Effect.gen(function*() {
      using folder = folderOf({
        "05.conflist": { ...chain("-x", "ptp"), cniVersion: "9.0.0" },
        "10-a.conflist": chain("a", "bridge")
      })
      assert.strictEqual((yield* onHost(ConfFolder.load("a", folder.path))).list.name, "a")
    }))

  it.effect("does not have the plugins of a folder that its name would lead to", () =>
    Effect.gen(function*() {
      using folder = folderOf({ "x.conflist": { ...chain(".", "bridge") }, "y.conf": "broken" })
      const error = yield* Effect.flip(onHost(ConfFolder.load(`${folder.path}/x.conflist`, "/none")))
      assert.match(error.message, /x\.conflist:1:\d+: name: found "\."/)
    }))

  it.effect("that has the form of a path is a file", () =>
    Effect.gen(function*() {
      using folder = folderOf({ "file": chain("x", "bridge") })
      assert.strictEqual((yield* onHost(ConfFolder.load(`${folder.path}/file`, "/none"))).list.name, "x")
      const error = yield* Effect.flip(onHost(ConfFolder.load("none.conflist", "/none")))
      assert.strictEqual(error.message, "cannot read none.conflist: there is no such file or folder")
    }))

  it.effect("is not in a folder that is not there", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(onHost(ConfFolder.load("x", "/none")))
      assert.strictEqual(error.message, `no network "x" in /none: it has no networks`)
    }))
})

describe("plugins in the folder with the name of a network", () => {
  const withFolder = (list: object, plugins: { readonly [name: string]: object | string }) => {
    const folder = folderOf({ "10-a.conflist": list })
    Fs.mkdirSync(`${folder.path}/a`)
    for (const [name, content] of Object.entries(plugins)) {
      Fs.writeFileSync(`${folder.path}/a/${name}`, typeof content === "string" ? content : JSON.stringify(content))
    }
    return folder
  }
  const types = (folder: { readonly path: string }) =>
    Effect.map(onHost(ConfFolder.load("a", folder.path)), ({ list }) => list.plugins.map(({ type }) => type))

  it.effect("come after those in the list, in the order of their files", () =>
    Effect.gen(function*() {
      using folder = withFolder(chain("a", "bridge"), {
        "20.conf": { type: "portmap" },
        "10.conf": { type: "tuning" },
        "30.conflist": chain("x", "none"),
        "40.json": { type: "none" }
      })
      assert.deepStrictEqual(yield* types(folder), ["bridge", "tuning", "portmap"])
    }))

  it.effect("may be all that there are", () =>
    Effect.gen(function*() {
      using folder = withFolder({ name: "a", cniVersion: "1.1.0" }, { "10.conf": { type: "tuning" } })
      assert.deepStrictEqual(yield* types(folder), ["tuning"])
    }))

  for (const loadOnlyInlinedPlugins of [true, "true", "TRUE"]) {
    it.effect(`stay out where the list says so: ${JSON.stringify(loadOnlyInlinedPlugins)}`, () =>
      Effect.gen(function*() {
        const list = { ...chain("a", "bridge"), loadOnlyInlinedPlugins }
        using folder = withFolder(list, { "10.conf": { type: "tuning" } })
        assert.deepStrictEqual(yield* types(folder), ["bridge"])
      }))
  }

  for (const loadOnlyInlinedPlugins of [false, "false"]) {
    it.effect(`come in where the list says so: ${JSON.stringify(loadOnlyInlinedPlugins)}`, () =>
      Effect.gen(function*() {
        const list = { ...chain("a", "bridge"), loadOnlyInlinedPlugins }
        using folder = withFolder(list, { "10.conf": { type: "tuning" } })
        assert.deepStrictEqual(yield* types(folder), ["bridge", "tuning"])
      }))
  }

  it.effect("have their text as it is in their file, without the space around it", () =>
    Effect.gen(function*() {
      using folder = withFolder(chain("a", "bridge"), { "10.conf": `\n{ "type": "tuning" }\n` })
      const { list } = yield* onHost(ConfFolder.load("a", folder.path))
      assert.strictEqual(list.plugins[1]?.text, `{ "type": "tuning" }`)
    }))

  it.effect("do not come to a configuration of one plugin", () =>
    Effect.gen(function*() {
      using folder = withFolder(chain("b", "bridge"), { "10.conf": "broken" })
      Fs.writeFileSync(`${folder.path}/20-a.conf`, JSON.stringify({ name: "a", type: "ptp" }))
      assert.deepStrictEqual(yield* types(folder), ["ptp"])
    }))

  it.effect("are checked too", () =>
    Effect.gen(function*() {
      using folder = withFolder(chain("a", "bridge"), { "10.conf": { type: "tuning", capabilities: [] } })
      assert.strictEqual(
        yield* failure("a", folder),
        "a/10.conf:1:33: capabilities: found an empty list, expected an object with true or false for each capability"
      )
      Fs.writeFileSync(`${folder.path}/a/10.conf`, "{}")
      assert.match(yield* failure("a", folder), /^a\/10\.conf:1:1: type: found nothing, expected the name of a plugin/)
    }))
})

describe("the text of a file", () => {
  /** A file of a kind, with a text that comes only from reading it to its end. */
  const special = (
    type: FileSystem.File.Type,
    text: Effect.Effect<Uint8Array, PlatformError> = Effect.succeed(new TextEncoder().encode("\uFEFF{}"))
  ) =>
    FileSystem.layerNoop({
      stat: () => Effect.succeed({ type, size: 0n } as never),
      realPath: (path) => Effect.succeed(path),
      readFile: () => text
    })

  for (const path of ["/dev/fd/63", "/proc/self/fd/63"]) {
    it.effect(`is what a pipe of the command line has, with all its bytes: ${path}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* Effect.provide(ConfFolder.readText(path), special("FIFO")), "\uFEFF{}")
      }))
  }

  const refused = [["/etc/fd/63", "FIFO", "a named pipe"], ["/proc/kmsg", "File", "a file of the kernel"]] as const
  for (const [path, type, kind] of refused) {
    it.effect(`is not what may keep us waiting: ${kind}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Effect.provide(ConfFolder.readText(path), special(type)))
        assert.strictEqual(error.message, `cannot read ${path}: found ${kind}, expected a regular file`)
      }))
  }

  it.effect("is not known where a pipe cannot be read", () =>
    Effect.gen(function*() {
      const layer = special("FIFO", Effect.fail(denied("/dev/fd/63")))
      const error = yield* Effect.flip(Effect.provide(ConfFolder.readText("/dev/fd/63"), layer))
      assert.match(error.message, /^cannot read \/dev\/fd\/63: PermissionDenied/)
    }))

  it.effect("has at most 16 megabytes", () =>
    Effect.gen(function*() {
      using folder = folderOf({ file: "" })
      Fs.truncateSync(`${folder.path}/file`, 16_777_217)
      const error = yield* Effect.flip(onHost(ConfFolder.readText(`${folder.path}/file`)))
      assert.strictEqual(
        error.message,
        `cannot read ${folder.path}/file: found 16777217 bytes, expected at most 16777216`
      )
    }))
})

describe("the files that runtimes skip because of their names", () => {
  const names = (folder: { readonly path: string }, network?: string) =>
    Effect.map(
      onHost(ConfFolder.unloaded(folder.path, network)),
      (files) => files.map((file) => file.slice(folder.path.length + 1))
    )

  it.effect("are those that have any network, where none is named", () =>
    Effect.gen(function*() {
      using folder = folderOf({
        "b.yaml": "plugins: []\n",
        "a.bak": { name: "x", type: "ptp" },
        "c.conf": { name: "x", type: "ptp" },
        "d.txt": "name: x\nno others\n"
      })
      assert.deepStrictEqual(yield* names(folder), ["a.bak", "b.yaml"])
    }))

  it.effect("are those of up to a megabyte, and no folders", () =>
    Effect.gen(function*() {
      const text = `{"name":"a"}`
      using folder = folderOf({
        "a.bak": text.padEnd(1_048_576),
        "b.bak": text.padEnd(1_048_577)
      })
      Fs.mkdirSync(`${folder.path}/c.bak`)
      assert.deepStrictEqual(yield* names(folder, "a"), ["a.bak"])
    }))

  it.effect("are none where the folder is not there", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* names({ path: "/none" }), [])
    }))
})

describe("the folder of network configurations", () => {
  it("is that of runtimes", () => assert.strictEqual(ConfFolder.defaultFolder, "/etc/cni/net.d"))
})

describe("a file", () => {
  it.effect("may have strings of any length", () =>
    Effect.gen(function*() {
      const long = "x".repeat(5_000_000)
      using folder = folderOf({ "10-a.conflist": { ...chain("a", "bridge"), note: long } })
      assert.strictEqual((yield* onHost(ConfFolder.load("a", folder.path))).source.text.length > 5_000_000, true)
    }))

  it.effect("that is not JSON is told so with the place", () =>
    Effect.gen(function*() {
      using folder = folderOf({ "x.conflist": `{"name": "x",\n "plugins": [1,]}` })
      const error = yield* Effect.flip(onHost(ConfFolder.load(`${folder.path}/x.conflist`, "/none")))
      assert.strictEqual(error.message, `${folder.path}/x.conflist:2:15: a trailing comma before "]"`)
    }))

  it.effect("that is not a network configuration is told all that is wrong with it", () =>
    Effect.gen(function*() {
      using folder = folderOf({ "x.conflist": `{"name": "-",\n "plugins": [{}]}` })
      const error = yield* Effect.flip(onHost(ConfFolder.load(`${folder.path}/x.conflist`, "/none")))
      assert.deepStrictEqual(error.message.split("\n").map((line) => line.slice(folder.path.length)), [
        `/x.conflist:1:10: name: found "-", expected a letter or digit, then letters, digits, '_', '.' or '-'`,
        "/x.conflist:2:14: plugins[0].type: found nothing, expected the name of a plugin, which is a file on the CNI path"
      ])
    }))
})

describe("the files that name a plugin", () => {
  it.effect("are those that runtimes load, and those with a mistake that may be mended", () =>
    Effect.gen(function*() {
      using folder = folderOf({
        "20-b.conf": { name: "b", type: "passthrough" },
        "10-a.conflist": chain("a", "bridge", "passthrough"),
        "30-c.conflist": { ...chain("c", "bridge"), label: "passthrough" },
        "40-broken.conflist": `{"plugins":[{"type":"passthrough"}]`,
        "45-d.conflist": { ...chain("d", "bridge"), delegates: [{ plugins: [{ type: "passthrough" }] }] },
        "50.txt": chain("a", "passthrough")
      })
      Fs.mkdirSync(`${folder.path}/60.conflist`)
      Fs.writeFileSync(`${folder.path}/60.conflist/70.conf`, `{"type" : "passthrough"}`)
      const files = yield* onHost(ConfFolder.naming(folder.path, "passthrough"))
      assert.deepStrictEqual(
        files.map((file) => file.slice(folder.path.length)),
        ["/10-a.conflist", "/20-b.conf", "/40-broken.conflist", "/45-d.conflist", "/60.conflist/70.conf"]
      )
      assert.deepStrictEqual(yield* onHost(ConfFolder.naming("/none", "passthrough")), [])
    }))
})

describe("the types of all plugins that a folder names", () => {
  const types = (folder: string) => Effect.map(onHost(ConfFolder.typesIn(folder)), (found) => found.toSorted())

  it.effect("are those of its files and of the folders in it, each once", () =>
    Effect.gen(function*() {
      using folder = folderOf({
        "10-a.conflist": chain("a", "bridge", "portmap"),
        "20-b.conf": { name: "b", type: "bridge", ipam: { type: "host-local" } },
        "30-c.json": { name: "c", type: "multus", delegate: JSON.stringify({ type: "calico" }) },
        "40-d.conflist": `{"plugins":[{"type" :  "ptp"`,
        "50-e.conf": `{"type":"a/b"}`,
        "60.txt": `{"type":"vlan"}`
      })
      Fs.mkdirSync(`${folder.path}/below`)
      Fs.writeFileSync(`${folder.path}/below/70.conf`, `{"type":"macvlan"}`)
      Fs.mkdirSync(`${folder.path}/80.conf`)
      assert.deepStrictEqual(yield* types(folder.path), [
        "bridge",
        "calico",
        "host-local",
        "macvlan",
        "multus",
        "portmap",
        "ptp"
      ])
    }))

  it.effect("are none where the folder is not there", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* types("/none"), [])
    }))
})
