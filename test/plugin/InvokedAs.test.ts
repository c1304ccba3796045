/** What the executable was called as. */
import { assert, describe, it } from "@effect/vitest"
import * as InvokedAs from "../../src/plugin/InvokedAs.ts"

const node = { argv0: "node", execPath: "/usr/bin/node", versions: { node: "24.0.0" } as NodeJS.ProcessVersions }
const bun = (argv0: string, execPath: string, ...args: ReadonlyArray<string>) => ({
  argv: ["bun", "/$bunfs/root/passthrough", ...args],
  argv0,
  execPath,
  versions: { bun: "1.4.5" } as unknown as NodeJS.ProcessVersions
})

describe("called by its own name, or one that builds and upgrades give it, it is itself", () => {
  for (const name of ["passthrough", "passthrough-x64", ".passthrough.4711.new", ".passthrough.new"]) {
    it(name, () => {
      assert.isUndefined(InvokedAs.of({ ...node, argv: ["node", `/opt/cni/bin/${name}`] }))
      assert.isUndefined(InvokedAs.of(bun(`/opt/cni/bin/${name}`, `/opt/cni/bin/${name}`)))
      const other = `/opt/cni/bin/x${name}`
      assert.strictEqual(InvokedAs.of({ ...node, argv: ["node", other] })?.name, `x${name}`)
      assert.strictEqual(InvokedAs.of(bun(other, other))?.name, `x${name}`)
    })
  }

  it("whatever follows, unless it is in our folder: then it is the interpreter of a stub", () => {
    const bridge = "/opt/cni/bin/bridge"
    assert.isUndefined(InvokedAs.of({ ...node, argv: ["node", "/opt/cni/bin/passthrough", bridge] }))
    assert.isUndefined(InvokedAs.of({ ...node, argv: ["node", "/opt/cni/bin/.passthrough/passthrough"] }))
    const other = InvokedAs.of({ ...node, argv: ["node", "/opt/cni/bin/.passthrough/other", bridge] })
    assert.deepInclude(other, { name: "other", arguments: [bridge] })
  })
})

describe("called by a stub of its own name, it is itself", () => {
  it("for there is nothing to stand around", () => {
    const own = "/tmp/shims/.passthrough/passthrough"
    assert.isUndefined(InvokedAs.of(bun(own, own, "/tmp/shims/passthrough")))
    assert.strictEqual(InvokedAs.of(bun(own, own, "/tmp/shims/passthroughs"))?.name, "passthroughs")
  })
})

describe("called as another plugin, it stands around the plugin", () => {
  const bridge = { name: "bridge", folder: "/opt/cni/bin", arguments: [] }

  it("that its file is called", () => {
    const called = { ...bridge, argv0: "/opt/cni/bin/bridge" }
    assert.deepStrictEqual(InvokedAs.of({ ...node, argv: ["node", "/opt/cni/bin/bridge"] }), called)
    assert.deepStrictEqual(InvokedAs.of(bun("/opt/cni/bin/bridge", "/opt/cni/bin/bridge")), called)
  })

  it("that its file is called, where the caller names no folder", () => {
    assert.deepStrictEqual(InvokedAs.of(bun("bridge", "/opt/cni/bin/bridge")), { ...bridge, argv0: "bridge" })
  })

  it("whose stub has it as its interpreter, in the folder of the stub if its path says which that is", () => {
    const own = "/opt/cni/bin/.passthrough/passthrough"
    const folderOf = (stub: string) => InvokedAs.of({ ...node, argv: ["node", own, stub] })?.folder
    assert.deepStrictEqual(["/usr/lib/cni/bridge", "bridge", "bin/bridge"].map(folderOf), [
      "/usr/lib/cni",
      "/opt/cni/bin",
      "/opt/cni/bin"
    ])
  })

  it("whose stub has it as its interpreter, with the arguments after that", () => {
    const own = "/opt/cni/bin/.passthrough/passthrough"
    const called = { ...bridge, argv0: "/opt/cni/bin/bridge", arguments: ["a"] }
    assert.deepStrictEqual(InvokedAs.of({ ...node, argv: ["node", own, "/opt/cni/bin/bridge", "a"] }), called)
    assert.deepStrictEqual(InvokedAs.of(bun(own, own, "/opt/cni/bin/bridge", "a")), called)
  })

  it("whose stub waits to be put in its place", () => {
    const own = "/opt/cni/bin/.passthrough/passthrough"
    const staged = "/opt/cni/bin/.passthrough/staged/bridge"
    assert.deepStrictEqual(InvokedAs.of(bun(own, own, staged)), { ...bridge, argv0: staged })
  })

  it("whose stub was called by a relative path, which may be meant for another folder", () => {
    const own = "/opt/cni/bin/.passthrough/passthrough"
    assert.deepStrictEqual(InvokedAs.of(bun(own, own, "./bridge")), { ...bridge, argv0: "./bridge" })
  })

  it("that its file is called, with the arguments after that", () => {
    const called = { ...bridge, argv0: "/opt/cni/bin/bridge", arguments: ["a", "b"] }
    assert.deepStrictEqual(InvokedAs.of({ ...node, argv: ["node", "/opt/cni/bin/bridge", "a", "b"] }), called)
  })
})
