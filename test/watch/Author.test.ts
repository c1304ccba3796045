/** What is read about the process that made a change, from a copy of /proc. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Author from "../../src/watch/Author.ts"

let proc: string
beforeEach(() => {
  proc = Fs.mkdtempSync(Path.join(Os.tmpdir(), "passthrough-proc-"))
  Fs.mkdirSync(Path.join(proc, "self/ns"), { recursive: true })
  Fs.symlinkSync("pid:[4026531836]", Path.join(proc, "self/ns/pid"))
})
afterEach(() => Fs.rmSync(proc, { recursive: true }))

/** Makes a process with these words, started by another one. */
const add = (pid: number, parent: number, words: ReadonlyArray<string>, environ: ReadonlyArray<string> = []) => {
  const folder = Path.join(proc, String(pid))
  const name = Path.basename(words[0] ?? "")
  Fs.mkdirSync(folder)
  const files = {
    comm: `${name}\n`,
    stat: `${pid} (${name}) S ${parent} 1 1`,
    cmdline: words.map((word) => `${word}\0`).join(""),
    environ: environ.map((each) => `${each}\0`).join("")
  }
  for (const [file, text] of Object.entries(files)) Fs.writeFileSync(Path.join(folder, file), text)
}

const request = [
  "CNI_COMMAND=DEL",
  "CNI_CONTAINERID=3f1c",
  "CNI_IFNAME=eth0",
  "CNI_PATH=/opt/cni/bin",
  "CNI_ARGS=K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web"
]

describe("a process that still runs", () => {
  it("has its command line and those of the processes that started it", () => {
    add(20, 10, ["iptables", "-F"])
    add(10, 5, ["bash", "./flush.sh"])
    add(5, 1, ["/usr/sbin/sshd"])
    assert.deepStrictEqual(Author.of({ pid: 20, name: "iptables" }, proc), {
      pid: 20,
      name: "iptables",
      commandLine: ["iptables", "-F"],
      parents: [
        { pid: 10, name: "bash", commandLine: ["bash", "./flush.sh"] },
        { pid: 5, name: "sshd", commandLine: ["/usr/sbin/sshd"] }
      ],
      isNoPlugin: true
    })
  })

  it("works for the plugin that started it, whose request it inherited", () => {
    add(20, 10, ["iptables", "-F"], request)
    add(10, 5, ["/opt/cni/bin/portmap"], request)
    add(5, 1, ["podman"])
    const { isNoPlugin, plugin } = Author.of({ pid: 20, name: "iptables" }, proc)
    assert.isFalse(isNoPlugin)
    assert.deepStrictEqual(plugin, {
      plugin: "portmap",
      command: "DEL",
      containerId: "3f1c",
      ifname: "eth0",
      pod: "shop/web"
    })
  })

  it("may still work for a plugin if the environment of a parent cannot be read", () => {
    add(20, 10, ["iptables", "-F"])
    add(10, 1, ["bash"])
    Fs.rmSync(Path.join(proc, "10/environ"))
    assert.isFalse(Author.of({ pid: 20, name: "iptables" }, proc).isNoPlugin)
  })

  it("does not show passwords of its command line", () => {
    add(20, 1, ["tool", "--password=hunter2hunter2"])
    assert.notInclude(JSON.stringify(Author.of({ pid: 20, name: "tool" }, proc)), "hunter2")
  })
})

describe("only the name and the ID are known", () => {
  const unknown = { pid: 20, name: "iptables", parents: [], isNoPlugin: false }

  it("of a process that has ended", () => {
    assert.deepStrictEqual(Author.of({ pid: 20, name: "iptables" }, proc), unknown)
  })

  it("if another process has its ID by now", () => {
    add(20, 1, ["vim"])
    assert.deepStrictEqual(Author.of({ pid: 20, name: "iptables" }, proc), unknown)
  })

  it("in another PID namespace than the kernel's first, where IDs mean other processes", () => {
    add(20, 1, ["iptables", "-F"])
    Fs.rmSync(Path.join(proc, "self/ns/pid"))
    Fs.symlinkSync("pid:[4026532000]", Path.join(proc, "self/ns/pid"))
    assert.deepStrictEqual(Author.of({ pid: 20, name: "iptables" }, proc), unknown)
  })
})
