/** Who has which address, as host-local keeps it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { nodeProcessRunner } from "../../src/exec/NodeProcessRunner.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import { collect } from "../../src/network/SnapshotCollector.ts"
import { temporary } from "../support/plugin.ts"

/** What is found of this folder. */
const look = (folder: string) =>
  collect(["ipam"], { netns: undefined, ipamFolders: [folder] }).pipe(
    Effect.map(({ host, notes }) => ({ facts: [...host.get("ipam") ?? []].sort(), notes })),
    Effect.provideService(ProcessRunner, nodeProcessRunner)
  )

/** Makes a store with these files. */
const fill = (folder: string, files: { readonly [file: string]: string }): void => {
  for (const [file, text] of Object.entries(files)) {
    Fs.mkdirSync(Path.join(folder, Path.dirname(file)), { recursive: true })
    Fs.writeFileSync(Path.join(folder, file), text)
  }
}

/** The facts of a store with these files. */
const factsOf = Effect.fnUntraced(function*(files: { readonly [file: string]: string }) {
  using folder = temporary()
  fill(folder.path, files)
  const { facts, notes } = yield* look(folder.path)
  assert.deepStrictEqual(notes, [])
  return facts
})

const mkfifo = (path: string) => ChildProcess.execFileSync("mkfifo", [path])

describe("the store of host-local", () => {
  it.live("has the container and the interface of each address, by the network", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* factsOf({
          "one/10.88.0.2": "id-1\r\neth0",
          "one/fd00::2": "id-1\r\neth0",
          "two/10.89.0.2": "id-2\r\nnet1\n"
        }),
        ["one 10.88.0.2 id-1 eth0", "one fd00::2 id-1 eth0", "two 10.89.0.2 id-2 net1"]
      )
    }))

  it.live("has no interface where an old host-local wrote it, and nothing where one was killed", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* factsOf({ "one/10.88.0.2": "id-1", "one/10.88.0.3": "" }), [
        "one 10.88.0.2 id-1",
        "one 10.88.0.3"
      ])
    }))

  it.live("has other files, which are left out", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* factsOf({ "one/last_reserved_ip.0": "10.88.0.2", "one/lock": "", cache: "", "one/10.88.0.2": "id-1" }),
        ["one 10.88.0.2 id-1"]
      )
    }))

  it.live("need not be there", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* look("/no/such/folder"), { facts: [], notes: [] })
      assert.deepStrictEqual(yield* look("a\0b"), { facts: [], notes: [] })
      assert.deepStrictEqual(yield* look(`/${"a".repeat(200_000)}`), { facts: [], notes: [] })
    }))

  it.live("may be a link, and have a link to the folder of a network", () =>
    Effect.gen(function*() {
      using folder = temporary()
      fill(folder.path, { "real/one/10.88.0.2": "id-1" })
      Fs.symlinkSync(`${folder.path}/real`, `${folder.path}/link`)
      Fs.symlinkSync("one", `${folder.path}/real/two`)
      assert.deepStrictEqual((yield* look(`${folder.path}/link`)).facts, ["one 10.88.0.2 id-1", "two 10.88.0.2 id-1"])
    }))

  it.live("is not opened where it is a pipe or a device, and is named", () =>
    Effect.gen(function*() {
      using folder = temporary()
      mkfifo(`${folder.path}/pipe`)
      for (const each of [`${folder.path}/pipe`, "/dev/zero"]) {
        assert.deepStrictEqual(yield* look(each), {
          facts: [],
          notes: [`find: '${each}/': Not a directory: ipam is not compared`]
        })
      }
    }))

  it.live("has pipes, devices, links in circles and files that are too long, which are not read", () =>
    Effect.gen(function*() {
      using folder = temporary()
      fill(folder.path, { "one/10.88.0.2": "id-1", "one/10.88.0.3": "" })
      Fs.truncateSync(`${folder.path}/one/10.88.0.3`, 3 * 2 ** 30)
      mkfifo(`${folder.path}/one/10.88.0.4`)
      mkfifo(`${folder.path}/two`)
      Fs.symlinkSync("10.88.0.5", `${folder.path}/one/10.88.0.5`)
      Fs.symlinkSync("/dev/zero", `${folder.path}/one/10.88.0.6`)
      Fs.symlinkSync("..", `${folder.path}/one/fd00::1`)
      Fs.symlinkSync("three", `${folder.path}/three`)
      assert.deepStrictEqual(yield* look(folder.path), { facts: ["one 10.88.0.2 id-1"], notes: [] })
    }))

  it.live("has an end where it is a part of /proc", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* look("/proc/self")).facts, [])
    }))
})
