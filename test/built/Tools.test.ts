/** The tools of the host that the built plugin and command start, beside plugins of the same names. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { command, path, temporary } from "../support/plugin.ts"
import { describeWith } from "../support/requirements.ts"
import { wrapped } from "../support/shim.ts"

/** A script that writes its variables to a file with its own name and `.started`, and prints nothing that a tool would. */
const noting = "#!/bin/sh\nenv >> \"$0.started\"\necho '{}'\n"

const startsOf = (file: string): string =>
  Fs.existsSync(`${file}.started`) ? Fs.readFileSync(`${file}.started`, "utf8") : ""

/** Runs a wrapped plugin in a network namespace with a bridge, for which `bridge` is asked. */
const via =
  "exec unshare -n sh -c 'PATH=/usr/sbin:/usr/bin:/sbin:/bin; ip link add b0 type bridge; PATH=$0; exec \"$@\"' \"$PATH\" \"$@\""

const adding = "cat > /dev/null; /sbin/ip link add d0 type ifb; echo '{\"cniVersion\":\"1.0.0\"}'"

const changesOf = (demo: ReturnType<typeof wrapped>) => demo.records().filter(({ event }) => event === "changes")

describeWith(["iproute2", "nftables"], "a look at what a wrapped plugin changes", () => {
  it("does not start a wrapped plugin that has the name of a tool, although it is first on PATH", () => {
    using demo = wrapped(adding, { changes: true })
    const bin = demo.places.folder
    Fs.writeFileSync(`${demo.places.plugins}/bridge`, noting, { mode: 0o755 })
    Fs.copyFileSync(demo.file, `${bin}/bridge`)
    const { status, stderr } = demo.around({ via, env: { PATH: `${bin}:${path}` } })
    assert.deepStrictEqual([status, stderr.toString()], [0, ""])
    assert.strictEqual(startsOf(`${demo.places.plugins}/bridge`), "")
    const [changes, ...others] = changesOf(demo)
    assert.deepStrictEqual(others, [])
    assert.match(changes.changes.host.links.added.join(), /^d0 ifb /)
    assert.notMatch(String(changes.notes), /bridge/)
  })

  it("does not start a plugin of CNI_PATH that has the name of a tool", () => {
    using demo = wrapped(adding, { changes: true })
    using folder = temporary()
    for (const name of ["bridge", "ip", "nft"]) Fs.writeFileSync(`${folder.path}/${name}`, noting, { mode: 0o755 })
    demo.around({ via, env: { PATH: `${folder.path}:${path}`, CNI_PATH: folder.path } })
    for (const name of ["bridge", "ip", "nft"]) assert.strictEqual(startsOf(`${folder.path}/${name}`), "", name)
    assert.match(changesOf(demo)[0].changes.host.links.added.join(), /^d0 ifb /)
  })

  it("hands no variable of CNI to its tools, and a wrapped plugin that one of them starts does not look", () => {
    using demo = wrapped(adding, { changes: ["nftables"] })
    using folder = temporary()
    const nft = Path.join(folder.path, "nft")
    Fs.writeFileSync(nft, `${noting}CNI_COMMAND=ADD ${demo.file} </dev/null >/dev/null\n`, { mode: 0o755 })
    demo.around({ via, env: { PATH: `${folder.path}:${path}` } })
    assert.include(startsOf(nft), "PATH=")
    assert.notInclude(startsOf(nft), "CNI_")
    // Before and after the plugin, `nft` started it once more.
    assert.lengthOf(demo.records().filter(({ event }) => event === "plugin"), 3)
    assert.lengthOf(changesOf(demo), 1)
  })
})

describe("doctor and leaks", () => {
  it("do not start a plugin that has the name of a tool", () => {
    using folder = temporary()
    const [conf, plugins, ordinary] = ["conf", "plugins", "ordinary"].map((name) => Path.join(folder.path, name)) as [
      string,
      string,
      string
    ]
    for (const each of [conf, plugins, ordinary]) Fs.mkdirSync(each)
    Fs.writeFileSync(
      `${conf}/n.conflist`,
      JSON.stringify({ cniVersion: "1.0.0", name: "n", plugins: [{ type: "demo" }] })
    )
    for (const each of [plugins, ordinary]) {
      for (const name of ["ip", "nft", "nsenter"]) Fs.writeFileSync(`${each}/${name}`, noting, { mode: 0o755 })
    }
    const run = (first: string, ...args: ReadonlyArray<string>) =>
      ChildProcess.spawnSync(command, [...args, "--conf-dir", conf, "--cache-dir", `${folder.path}/cache`], {
        env: { PATH: `${first}:${path}`, CNI_ARGS: "A=1" }
      })
    run(plugins, "doctor", "n", "--cni-path", plugins)
    Fs.mkdirSync(`${plugins}/.passthrough`)
    run(plugins, "leaks", "n")
    assert.strictEqual(startsOf(`${plugins}/ip`) + startsOf(`${plugins}/nft`) + startsOf(`${plugins}/nsenter`), "")
    run(ordinary, "leaks", "n")
    assert.include(startsOf(`${ordinary}/ip`), "PATH=")
    assert.notInclude(startsOf(`${ordinary}/ip`), "CNI_")
  })
})
