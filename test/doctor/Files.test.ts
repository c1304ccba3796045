/** Which files of a folder are network configurations, and what runtimes make of them. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as PlatformError from "effect/PlatformError"
import * as Fs from "node:fs"
import * as NodePath from "node:path"
import * as ConfigFile from "../../src/doctor/ConfigFile.ts"
import * as BuiltIn from "../../src/doctor/facts/BuiltIn.ts"
import * as Files from "../../src/doctor/facts/Files.ts"
import * as HostLocalStore from "../../src/doctor/facts/HostLocalStore.ts"
import * as Writable from "../../src/doctor/facts/Writable.ts"
import * as ResultCache from "../../src/runtime/ResultCache.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import * as Fake from "./fake.ts"

/** A folder with these files, by their paths in it. */
const folderOf = (files: { readonly [path: string]: string }) => {
  const folder = temporary()
  for (const [path, text] of Object.entries(files)) {
    const file = NodePath.join(folder.path, path)
    Fs.mkdirSync(NodePath.dirname(file), { recursive: true })
    Fs.writeFileSync(file, text)
  }
  return folder
}

const list = (name: string, more: object = {}) =>
  JSON.stringify({ cniVersion: "1.0.0", name, plugins: [{ type: "bridge" }], ...more })

describe("the configurations of a folder", () => {
  it.effect("are lists first, each in the order of names", () =>
    Effect.gen(function*() {
      using folder = folderOf({
        "10-z.conf": "{}",
        "20-y.conflist": list("y"),
        "05-x.json": "{}",
        "15-w.conflist": list("w"),
        "01-v.conflist.bak": list("v"),
        "02-conf": "{}",
        "03-u.txt": "{}"
      })
      Fs.mkdirSync(`${folder.path}/00-folder.conflist`)
      const { files, unread } = yield* Files.readAll(folder.path)
      assert.deepStrictEqual(files.map(({ path }) => NodePath.basename(path)), [
        "15-w.conflist",
        "20-y.conflist",
        "05-x.json",
        "10-z.conf"
      ])
      assert.deepStrictEqual(unread, [])
      assert.deepStrictEqual(Files.inOrder(files).map(({ path }) => NodePath.basename(path)), [
        "05-x.json",
        "10-z.conf",
        "15-w.conflist",
        "20-y.conflist"
      ])
      assert.strictEqual(NodePath.basename(Files.firstOf(files)?.path ?? ""), "05-x.json")
    }).pipe(Effect.provide(Command.host)))

  it.effect("are none where there is no folder", () =>
    Effect.gen(function*() {
      using folder = folderOf({})
      assert.deepStrictEqual(yield* Files.readAll(`${folder.path}/none`), { files: [], unread: [] })
      assert.isUndefined(Files.firstOf([]))
    }).pipe(Effect.provide(Command.host)))

  it.effect("are not known where the folder is a file", () =>
    Effect.gen(function*() {
      using folder = folderOf({ file: "" })
      const { message } = yield* Effect.flip(Files.readAll(`${folder.path}/file`))
      assert.strictEqual(message, `cannot read ${folder.path}/file: not a directory`)
    }).pipe(Effect.provide(Command.host)))

  it.effect("may be a mebibyte long, and no longer", () =>
    Effect.gen(function*() {
      using folder = folderOf({
        "a.conflist": list("a").padEnd(1_048_576),
        "b.conflist": list("b").padEnd(1_048_577)
      })
      const { files, unread } = yield* Files.readAll(folder.path)
      assert.deepStrictEqual(files.map(ConfigFile.nameOf), ["a"])
      assert.deepStrictEqual(unread, [
        `cannot read ${folder.path}/b.conflist: found 1048577 bytes, expected at most 1048576`
      ])
      assert.deepStrictEqual((yield* Files.readFolder(folder.path)).map(ConfigFile.nameOf), ["a"])
    }).pipe(Effect.provide(Command.host)))
})

describe("the plugins beside a list", () => {
  /** The names of the files that are read with a list of this text. */
  const beside = Effect.fnUntraced(function*(text: string, files: { readonly [path: string]: string }) {
    using folder = folderOf({ "n.conflist": text, ...files })
    const file = yield* Files.read(`${folder.path}/n.conflist`)
    return file.beside.map(({ path }) => NodePath.relative(folder.path, path))
  }, Effect.provide(Command.host))

  const plugins = { "n/20-b.conf": "{}", "n/10-a.conf": "{}", "n/30-c.conflist": "{}", "m/10-d.conf": "{}" }
  const own = ["n/10-a.conf", "n/20-b.conf"]

  it.effect("are the files of the folder that has the name of the network", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* beside(list("n"), plugins), own)
      assert.deepStrictEqual(yield* beside(list("none"), plugins), [])
    }))

  it.effect("stand beside a list without plugins too", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* beside(`{"name":"n"}`, plugins), own)
      assert.deepStrictEqual(yield* beside(`{"name":"n","type":"bridge","plugins":[]}`, plugins), own)
    }))

  const alone: ReadonlyArray<readonly [what: string, text: string]> = [
    ["a single plugin", `{"name":"n","type":"bridge"}`],
    ["a list that loads none", list("n", { loadOnlyInlinedPlugins: true })],
    ["a list that loads none, in quotes", list("n", { loadOnlyInlinedPlugins: "TRUE" })],
    ["a list without a name", list("n", { name: 5 })],
    ["a list whose name is a path", list("../n")],
    ["what is no object", "[]"],
    ["what is no JSON", `{"name":"n"`]
  ]
  for (const [what, text] of alone) {
    it.effect(`do not stand beside ${what}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* beside(text, plugins), [])
      }))
  }

  it.effect("stand beside a list that says it loads them", () =>
    Effect.gen(function*() {
      for (const loadOnlyInlinedPlugins of [false, "xtrue", "truex"]) {
        assert.deepStrictEqual(yield* beside(list("n", { loadOnlyInlinedPlugins }), plugins), own)
      }
    }))

  it.effect("are those that can be read", () =>
    Effect.gen(function*() {
      using folder = folderOf({ "n.conflist": list("n"), ...plugins })
      Fs.symlinkSync("nothing", `${folder.path}/n/05-x.conf`)
      const { beside } = yield* Files.read(`${folder.path}/n.conflist`)
      assert.deepStrictEqual(beside.map(({ path }) => NodePath.relative(folder.path, path)), own)
    }).pipe(Effect.provide(Command.host)))
})

describe("the file of a network", () => {
  const fileOf = (name: string, text: string) => ConfigFile.make(`/net.d/${name}`, text)

  it("is the first that has its name, or else one that is not JSON and seems to", () => {
    const files = [
      fileOf("a", `{"name": "n", }`),
      fileOf("b", `{ "name" :"x.y" `),
      fileOf("c", list("n")),
      fileOf("d", list("n")),
      fileOf("e", JSON.stringify({ other: { name: "z" } }))
    ]
    const named = (name: string) => Files.named(files, name)?.path
    assert.deepStrictEqual(["n", "x.y", "xzy", "x.", "z"].map(named), [
      "/net.d/c",
      "/net.d/b",
      undefined,
      undefined,
      undefined
    ])
  })
})

describe("a network without a file", () => {
  const entry = (network: string, config: string) =>
    ResultCache.encode(
      { network, containerId: "web", ifname: "eth0", netns: "", args: [], capabilityArgs: {} },
      config,
      "{}"
    )

  it.effect("is what the first of its attachments was made with", () =>
    Effect.gen(function*() {
      using cache = folderOf({
        "results/podman-b-eth0": entry("podman", list("podman", { b: 2 })),
        "results/podman-a-eth0": entry("podman", list("podman", { a: 1 })),
        "results/other-c-eth0": entry("other", list("other")),
        "results/podman-d-eth0": "rubbish",
        "results/podman-e-eth0": "{}",
        "results/podman-f-eth0": entry("podman", "rubbish"),
        "results/podmanx-g-eth0": entry("podman", list("podman", { g: 3 }))
      })
      const all = yield* BuiltIn.readAll(cache.path)
      assert.deepStrictEqual([...all].map(([name, { isCached, path, text }]) => [name, isCached, path, text]), [
        ["other", true, `${cache.path}/results/other-c-eth0#config`, list("other")],
        ["podman", true, `${cache.path}/results/podman-a-eth0#config`, list("podman", { a: 1 })]
      ])
      assert.strictEqual((yield* BuiltIn.read(cache.path))?.text, list("podman", { a: 1 }))
    }).pipe(Effect.provide(Command.host)))

  it.effect("of podman is none of a file that another network has", () =>
    Effect.gen(function*() {
      using cache = folderOf({ "results/other-a-eth0": entry("other", list("podman")) })
      assert.isUndefined(yield* BuiltIn.read(cache.path))
      assert.isUndefined(yield* BuiltIn.read(`${cache.path}/none`))
      assert.isTrue((yield* BuiltIn.readAll(cache.path)).has("podman"))
    }).pipe(Effect.provide(Command.host)))
})

describe("the store of host-local", () => {
  const stored = (files: Fake.Files) =>
    Effect.provide(HostLocalStore.read("/networks", "n"), Fake.host({ files }).layer)

  it.effect("has a reservation in each file of an address, and says which cannot be read", () =>
    Effect.gen(function*() {
      const { problem, reservations, unread } = yield* stored({
        "/networks/n/10.99.0.2": " web\r\neth0\n",
        "/networks/n/fd00::2": "api\nnet1",
        "/networks/n/10.99.0.3": "old",
        "/networks/n/10.99.0.4": "",
        "/networks/n/10.99.0.5": "x".repeat(4097),
        "/networks/n/10.99.0.6": "x".repeat(4096),
        "/networks/n/fe80::1%eth0": "no",
        "/networks/n/lock": "no",
        "/networks/n/last_reserved_ip.0": "10.99.0.2"
      })
      assert.deepStrictEqual([problem, unread], [undefined, ["/networks/n/10.99.0.5"]])
      assert.deepStrictEqual(
        reservations.map(({ address, containerId, file, ifname }) => [file, address, containerId.slice(0, 4), ifname]),
        [
          ["/networks/n/10.99.0.2", "10.99.0.2", "web", "eth0"],
          ["/networks/n/fd00::2", "fd00::2", "api", "net1"],
          ["/networks/n/10.99.0.3", "10.99.0.3", "old", ""],
          ["/networks/n/10.99.0.4", "10.99.0.4", "", ""],
          ["/networks/n/10.99.0.6", "10.99.0.6", "xxxx", ""]
        ]
      )
    }))

  it.effect("that is not there has nothing, and no problem", () =>
    Effect.gen(function*() {
      using folder = folderOf({ file: "" })
      const nothing = { reservations: [], unread: [], problem: undefined, unwritable: undefined }
      assert.deepStrictEqual(yield* HostLocalStore.read(folder.path, "n"), { ...nothing, folder: `${folder.path}/n` })
      assert.deepStrictEqual(yield* HostLocalStore.read(folder.path, "file"), {
        ...nothing,
        folder: `${folder.path}/file`,
        problem: "not a directory"
      })
    }).pipe(Effect.provide(Command.host)))

  it.effect("tells who has an address, as long as its file is there", () =>
    Effect.gen(function*() {
      const { layer } = Fake.host({ files: { "/n/10.99.0.2": "\nweb\r\neth0\r\n", "/n/10.99.0.3": "old" } })
      const holders = yield* Effect.provide(
        Effect.forEach(["2", "3", "4"], (each) => HostLocalStore.holderOf(`/n/10.99.0.${each}`)),
        layer
      )
      assert.deepStrictEqual(holders, [
        { containerId: "web", ifname: "eth0" },
        { containerId: "old", ifname: "" },
        { containerId: "", ifname: "" }
      ])
    }))
})

describe("a folder", () => {
  /** Why a folder cannot be written to by a user, where its file system has so much room. */
  const whyNot = Effect.fnUntraced(function*(
    { access = Effect.void, room = { bfree: 1, ffree: 1, files: 2 }, uid = 0 }: {
      readonly uid?: number
      readonly room?: object | Error
      readonly access?: Effect.Effect<void, PlatformError.PlatformError>
    }
  ) {
    using _uid = vi.spyOn(process, "getuid").mockReturnValue(uid)
    using _room = vi.spyOn(Fs.promises, "statfs").mockImplementation((path) =>
      room instanceof Error || path !== "/var/lib" ? Promise.reject(room) : Promise.resolve(room as Fs.StatsFs)
    )
    const fs = FileSystem.layerNoop({
      exists: (path) => Effect.succeed(path === "/var/lib"),
      access: (path, options) => path === "/var/lib" && options?.writable === true ? access : Effect.void
    })
    return yield* Effect.provide(Writable.whyNot("/var/lib/cni/networks"), Layer.merge(fs, Path.layer))
  })

  const forbidden = PlatformError.systemError({
    _tag: "PermissionDenied",
    module: "FileSystem",
    method: "access",
    cause: new Error("EROFS: read-only file system, access '/var/lib'")
  })
  const cases: ReadonlyArray<
    readonly [what: string, given: Parameters<typeof whyNot>[0], reason: string | undefined]
  > = [
    ["can be written to", {}, undefined],
    ["cannot where root has no access", { access: Effect.fail(forbidden) }, "read-only file system"],
    ["cannot where there is no space", { room: { bfree: 0, ffree: 1, files: 2 } }, "no space left on device"],
    ["cannot where there are no inodes", { room: { bfree: 1, ffree: 0, files: 2 } }, "no inodes left on device"],
    ["can where its file system does not count inodes", { room: { bfree: 1, ffree: 0, files: 0 } }, undefined],
    ["can where its room is not known", { room: new Error("no") }, undefined],
    ["says nothing to others than root", { uid: 1000, access: Effect.fail(forbidden) }, undefined]
  ]
  for (const [what, given, reason] of cases) {
    it.effect(what, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* whyNot(given), reason === undefined ? undefined : { at: "/var/lib", reason })
      }))
  }

  it.effect("that is not there is looked at up to the root folder", () =>
    Effect.gen(function*() {
      const fs = FileSystem.layerNoop({ exists: () => Effect.succeed(false), access: () => Effect.fail(forbidden) })
      using _uid = vi.spyOn(process, "getuid").mockReturnValue(0)
      assert.strictEqual((yield* Effect.provide(Writable.whyNot("/a/b"), Layer.merge(fs, Path.layer)))?.at, "/")
    }))
})
