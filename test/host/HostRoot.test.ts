/** The root of the host, seen from a container. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as HostRoot from "../../src/host/HostRoot.ts"
import * as Command from "../support/command.ts"
import { withLibc } from "../support/libc.ts"
import { temporary } from "../support/plugin.ts"

describe("the path that the host has for a file", () => {
  it("is the one that the container sees, without the folder of the host's root", () => {
    assert.strictEqual(HostRoot.pathOn("/host", "/host/opt/cni/bin"), "/opt/cni/bin")
    assert.strictEqual(HostRoot.pathOn("/host", "/host"), "/")
    assert.strictEqual(HostRoot.pathOn("/host", "/host/"), "/")
  })

  it("is the path itself where that is not below this folder", () => {
    for (const path of ["/opt/cni/bin", "/hostile", "/a/host/b", "/"]) {
      assert.strictEqual(HostRoot.pathOn("/host", path), path)
    }
  })
})

const withChroot = (chroot: (path: Buffer) => number, chdir: (path: Buffer) => number = () => 0) =>
  withLibc({
    chroot: { args: ["ptr"], returns: "i32", call: chroot },
    chdir: { args: ["ptr"], returns: "i32", call: chdir }
  })

/** A root whose /proc shows this process, and a plugin of the container. */
const make = () => {
  const folder = temporary()
  const [root, plugin] = [`${folder.path}/host`, `${folder.path}/plugin`]
  Fs.mkdirSync(`${root}/proc`, { recursive: true })
  Fs.symlinkSync(String(process.pid), `${root}/proc/self`)
  Fs.writeFileSync(plugin, "the plugin")
  return { root, plugin, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

const refusal = (root: string, file: string) =>
  Effect.map(Effect.flip(HostRoot.enter(root, file)), ({ message }) => {
    const prefix = `cannot go to the root of the host in ${root}: `
    assert.isTrue(message.startsWith(prefix), message)
    return message.slice(prefix.length)
  })

describe("the root of the host", () => {
  it.effect("is entered, and files of the container and relative paths lead to where they led", () =>
    Effect.gen(function*() {
      assert.strictEqual(HostRoot.resolved("a"), Path.resolve("a"))
      using host = make()
      const calls: Array<string> = []
      using _ = withChroot(
        (path) => calls.push(`chroot ${path.toString()}`) - 1,
        (path) => calls.push(`chdir ${path.toString()}`)
      )
      const folders: Array<string> = []
      const chdir = vi.spyOn(process, "chdir").mockImplementation((folder) => void folders.push(folder))
      const cwd = vi.spyOn(process, "cwd").mockReturnValue("/start")
      const kept = yield* Effect.ensuring(
        HostRoot.enter(host.root, host.plugin),
        Effect.sync(() => [chdir, cwd].forEach((spy) => spy.mockRestore()))
      )
      assert.deepStrictEqual(["a", "/a"].map(HostRoot.resolved), ["/start/a", "/a"])
      assert.deepStrictEqual([calls, folders], [[`chroot ${host.root}\0`, "chdir /\0"], ["/"]])
      assert.match(kept, new RegExp(`^/proc/${process.pid}/fd/\\d+/plugin$`))
      assert.strictEqual(Fs.readFileSync(kept, "utf8"), "the plugin")
    }).pipe(Effect.provide(Command.host)))

  it.effect("cannot be entered by Node.js", () =>
    Effect.gen(function*() {
      using host = make()
      assert.strictEqual(
        yield* refusal(host.root, host.plugin),
        "only the standalone form of cni-passthrough can: use that one"
      )
    }).pipe(Effect.provide(Command.host)))

  it.effect("is not entered where its /proc shows another process under this ID, or none", () =>
    Effect.gen(function*() {
      using host = make()
      using _ = withChroot(() => assert.fail("must not be called"))
      for (const change of [() => Fs.symlinkSync("1", `${host.root}/proc/self`), () => {}]) {
        Fs.rmSync(`${host.root}/proc/self`, { force: true })
        change()
        assert.strictEqual(
          yield* refusal(host.root, host.plugin),
          `found no process ${process.pid} in ${host.root}/proc, expected the host's /proc: mount the root of the host ` +
            "with all that is mounted below it, and share its process IDs (hostPID: true, or podman run --pid host)"
        )
      }
    }).pipe(Effect.provide(Command.host)))

  it.effect("is not entered where the file of the container is not there", () =>
    Effect.gen(function*() {
      using host = make()
      using _ = withChroot(() => assert.fail("must not be called"))
      assert.match(yield* refusal(host.root, "/none/plugin"), /^the plugin cannot be read: ENOENT: .*'\/none'$/)
    }).pipe(Effect.provide(Command.host)))

  it.effect("is not entered without the right to", () =>
    Effect.gen(function*() {
      using host = make()
      using _ = withChroot(() => -1)
      assert.strictEqual(
        yield* refusal(host.root, host.plugin),
        "expected to be root, with the capability SYS_CHROOT"
      )
    }).pipe(Effect.provide(Command.host)))
})
