/** What the executable that needs nothing on the host promises beyond what the script does. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { attachment, command, plugin, temporary } from "../support/plugin.ts"
import { itWithMounts } from "../support/requirements.ts"

const config = `{"cniVersion":"1.1.0","name":"n","prevResult":{"a":1.0}}`
const answer = { status: 0, stdout: `{"a":1.0}`, stderr: "" }

const call = (options: { readonly cwd?: string; readonly env?: object; readonly shell?: string } = {}) => {
  const [program, ...args] = options.shell === undefined ? [plugin] : ["/bin/sh", "-c", options.shell, plugin]
  const { status, stderr, stdout } = ChildProcess.spawnSync(program ?? "", args, {
    cwd: options.cwd ?? "/",
    env: { ...attachment, CNI_COMMAND: "ADD", ...options.env },
    input: config,
    encoding: "utf8"
  })
  return { status, stdout, stderr }
}

describe("the standalone executable", () => {
  it("works without PATH, HOME and TMPDIR", () => {
    assert.deepStrictEqual(call(), answer)
  })

  it("reads neither .env nor bunfig.toml nor package.json from its working directory", () => {
    using folder = temporary()
    Fs.writeFileSync(Path.join(folder.path, ".env"), "CNI_COMMAND=DEL\nCNI_NETNS_OVERRIDE=1\n")
    Fs.writeFileSync(Path.join(folder.path, ".env.local"), "CNI_COMMAND=DEL\n")
    Fs.writeFileSync(Path.join(folder.path, "bunfig.toml"), `preload = ["./preload.ts"]\n`)
    Fs.writeFileSync(
      Path.join(folder.path, "preload.ts"),
      `require("fs").writeFileSync("ran", ""); console.log("ran")\n`
    )
    Fs.writeFileSync(Path.join(folder.path, "package.json"), "{ broken")
    Fs.writeFileSync(Path.join(folder.path, "tsconfig.json"), "{ broken")
    assert.deepStrictEqual(call({ cwd: folder.path }), answer)
    assert.isFalse(Fs.existsSync(Path.join(folder.path, "ran")))
    // Without CNI_COMMAND it would be the one of .env that counts.
    assert.match(call({ cwd: folder.path, env: { CNI_COMMAND: "" } }).stderr, /^CNI plugin passthrough/)
  })

  it("is not moved by what Node.js reads from the environment", () => {
    assert.deepStrictEqual(call({ env: { NODE_OPTIONS: "--require /nowhere.js", NODE_PATH: "/nowhere" } }), answer)
  })

  it("works in a deleted directory", () => {
    using folder = temporary()
    assert.deepStrictEqual(
      call({ shell: `mkdir ${folder.path}/x && cd ${folder.path}/x && rmdir ../x && exec "$0"` }),
      answer
    )
  })

  itWithMounts("works on a file system that cannot be written", () => {
    const readOnly = `mount -o remount,bind,ro / && mount -t tmpfs -o ro tmpfs /tmp && ! touch /x 2>/dev/null`
    using folder = temporary()
    const copy = Path.join("/var/tmp", Path.basename(folder.path))
    Fs.copyFileSync(plugin, copy)
    Fs.chmodSync(copy, 0o755)
    try {
      const shell = `exec unshare --mount sh -c 'mount --bind / / && cd / && ${readOnly} && exec ${copy}'`
      assert.deepStrictEqual(call({ shell, env: { PATH: "/usr/bin:/bin:/usr/sbin" } }), answer)
    } finally {
      Fs.rmSync(copy)
    }
  })
})

describe("the standalone command", () => {
  it("says that nothing was printed where the disk is full", () => {
    using folder = temporary()
    const file = Path.join(folder.path, "10-n.conflist")
    Fs.writeFileSync(file, `{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"x"}]}`)
    const script = `exec "$0" validate --no-plugins "$1" > /dev/full`
    const { status, stderr } = ChildProcess.spawnSync("/bin/sh", ["-c", script, command, file], { encoding: "utf8" })
    assert.deepStrictEqual([status, stderr], [
      2,
      "error: cannot write to stdout: ENOSPC: no space left on device, write\n"
    ])
  })
})
