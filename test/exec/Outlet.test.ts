/** Output that goes on to a descriptor of ours. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { Kept } from "../../src/exec/Kept.ts"
import * as Outlet from "../../src/exec/Outlet.ts"
import { temporary } from "../support/plugin.ts"

describe("an outlet", () => {
  it("takes what its reader has room for, and the rest once there is room again", () => {
    using folder = temporary()
    const path = Path.join(folder.path, "pipe")
    ChildProcess.execFileSync("mkfifo", [path])
    const reader = Fs.openSync(path, Fs.constants.O_RDONLY | Fs.constants.O_NONBLOCK)
    const writer = Fs.openSync(path, Fs.constants.O_WRONLY)
    const outlet = new Outlet.Outlet(writer)
    outlet.put(Buffer.alloc(100_000, "x"))
    assert.isFalse(outlet.flush())
    const first = Fs.readSync(reader, Buffer.alloc(100_000))
    assert.isTrue(outlet.flush())
    assert.strictEqual(first + Fs.readSync(reader, Buffer.alloc(100_000)), 100_000)
    Fs.closeSync(reader)
    outlet.put(Buffer.from("x"))
    assert.isTrue(outlet.isBroken)
    Fs.closeSync(writer)
  })
})

describe("a program in our place", () => {
  it("writes to a file or to a device that refuses by itself, and to /dev/null through us", () => {
    using folder = temporary()
    const ways = [Path.join(folder.path, "file"), "/dev/full", "/dev/null"].map((path) => {
      const fd = Fs.openSync(path, "a")
      try {
        return Outlet.wayOf(fd)
      } finally {
        Fs.closeSync(fd)
      }
    })
    assert.deepStrictEqual(ways, ["file", "itself", "through"])
  })

  it("has what it adds to a file kept, and nothing that was there before", () => {
    using folder = temporary()
    const path = Path.join(folder.path, "file")
    Fs.writeFileSync(path, "before")
    const fd = Fs.openSync(path, "a")
    const kept = new Kept(4)
    const readBack = Outlet.follow(fd, kept)
    Fs.writeSync(fd, "added")
    readBack()
    Fs.closeSync(fd)
    assert.deepStrictEqual([Buffer.from(kept.bytes()).toString(), kept.truncated], ["adde", true])
  })
})
