/** Output that goes on to a descriptor of ours. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Path from "node:path"
import { OutputBuffer } from "../../src/exec/OutputBuffer.ts"
import * as Tee from "../../src/exec/Tee.ts"
import { temporary } from "../support/plugin.ts"

describe("an outlet", () => {
  it("takes what its reader has room for, and the rest once there is room again", () => {
    using folder = temporary()
    const path = Path.join(folder.path, "pipe")
    ChildProcess.execFileSync("mkfifo", [path])
    const reader = Fs.openSync(path, Fs.constants.O_RDONLY | Fs.constants.O_NONBLOCK)
    const writer = Fs.openSync(path, Fs.constants.O_WRONLY)
    const outlet = new Tee.Tee(writer)
    outlet.put(Buffer.alloc(100_000, "x"))
    assert.isFalse(outlet.flush())
    const first = Fs.readSync(reader, Buffer.alloc(100_000))
    assert.isTrue(outlet.flush())
    assert.strictEqual(first + Fs.readSync(reader, Buffer.alloc(100_000)), 100_000)
    Fs.closeSync(reader)
    outlet.put(Buffer.from("x"))
    assert.isTrue(outlet.isBroken)
    assert.isTrue(outlet.flush())
    Fs.closeSync(writer)
  })

  it("appends to a file that others write too", () => {
    using folder = temporary()
    const path = Path.join(folder.path, "file")
    Fs.writeFileSync(path, "before;")
    const fd = Fs.openSync(path, "r+")
    const outlet = new Tee.Tee(fd)
    outlet.put(Buffer.from("ours;"))
    Fs.appendFileSync(path, "theirs;")
    outlet.put(Buffer.from("ours;"))
    Fs.closeSync(fd)
    assert.strictEqual(Fs.readFileSync(path, "utf8"), "before;ours;theirs;ours;")
  })

  it("takes a descriptor that cannot be opened once more as it is", async () => {
    const server = Net.createServer()
    await once(server.listen(0, "127.0.0.1"), "listening")
    const ours = Net.connect((server.address() as Net.AddressInfo).port, "127.0.0.1")
    const [theirs] = await once(server, "connection") as [Net.Socket]
    const { fd } = (ours as unknown as { readonly _handle: { readonly fd: number } })._handle
    new Tee.Tee(fd).put(Buffer.from("copied"))
    const [text] = await once(theirs, "data")
    assert.strictEqual(String(text), "copied")
    for (const socket of [ours, theirs]) socket.destroy()
    server.close()
  })
})

describe("a program in our place", () => {
  it("writes to a file or to a device that refuses by itself, and to pipes, terminals and /dev/null through us", () => {
    using folder = temporary()
    const pipe = Path.join(folder.path, "pipe")
    ChildProcess.execFileSync("mkfifo", [pipe])
    const ways = {
      [Path.join(folder.path, "file")]: "file",
      [pipe]: "copied",
      "/dev/full": "direct",
      "/dev/zero": "direct",
      "/dev/null": "copied",
      "/dev/ptmx": "copied"
    }
    for (const [path, way] of Object.entries(ways)) {
      const fd = Fs.openSync(path, path === pipe ? "r+" : "a")
      assert.strictEqual(Tee.routeOf(fd), way, path)
      Fs.closeSync(fd)
    }
    assert.strictEqual(Tee.routeOf(999_999), "direct") // it is closed
  })

  it("has what it writes from its position on kept, where it does not append", () => {
    using folder = temporary()
    const path = Path.join(folder.path, "file")
    Fs.writeFileSync(path, "0123456789")
    const fd = Fs.openSync(path, "r+")
    Fs.writeSync(fd, "ab")
    const kept = new OutputBuffer(5)
    const readBack = Tee.captureAppended(fd, kept)
    Fs.writeSync(fd, "cdefg")
    readBack()
    Fs.closeSync(fd)
    assert.deepStrictEqual([Buffer.from(kept.bytes()).toString(), kept.truncated], ["cdefg", false])
  })

  it("has nothing kept where it writes nothing, or where the descriptor is closed", () => {
    using folder = temporary()
    const fd = Fs.openSync(Path.join(folder.path, "file"), "a")
    const kept = new OutputBuffer(5)
    Tee.captureAppended(fd, kept)()
    Tee.captureAppended(999_999, kept)()
    const readBack = Tee.captureAppended(fd, kept)
    Fs.writeSync(fd, "lost")
    Fs.closeSync(fd)
    readBack()
    assert.deepStrictEqual([kept.bytes().length, kept.truncated], [0, false])
  })

  it("has what it adds to a file kept, and nothing that was there before", () => {
    using folder = temporary()
    const path = Path.join(folder.path, "file")
    Fs.writeFileSync(path, "before")
    const fd = Fs.openSync(path, "a")
    const kept = new OutputBuffer(4)
    const readBack = Tee.captureAppended(fd, kept)
    Fs.writeSync(fd, "added")
    readBack()
    Fs.closeSync(fd)
    assert.deepStrictEqual([Buffer.from(kept.bytes()).toString(), kept.truncated], ["adde", true])
  })
})
