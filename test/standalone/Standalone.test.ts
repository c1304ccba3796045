/** What the executable that needs nothing on the host promises beyond what the script does. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { attachment, command, path, plugin, repository, temporary } from "../support/plugin.ts"
import { itWithMounts } from "../support/requirements.ts"
import { wrapped } from "../support/shim.ts"

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

const { version } = JSON.parse(Fs.readFileSync(Path.join(repository, "package.json"), "utf8"))

/** The first line that the executable prints about itself. */
const introduction = (file: string, argv0: string = file) => {
  const { stderr, stdout } = ChildProcess.spawnSync(file, ["--version"], { argv0, env: {}, encoding: "utf8" })
  return `${stdout}${stderr}`.split("\n")[0]
}

const asCommand = `cni-passthrough ${version}`
const asPlugin = `CNI plugin passthrough v${version}`

describe("the name of the executable", () => {
  it("makes one file the plugin and the command", () => {
    assert.strictEqual(Fs.realpathSync(command), Fs.realpathSync(plugin))
    assert.deepStrictEqual([introduction(plugin), introduction(command)], [asPlugin, asCommand])
  })

  for (const name of ["cni-passthrough", "cni-passthrough-1.0.0", "cni-passthrough.new", ".cni-passthrough.42.new"]) {
    it(`is the command's: ${name}`, () => {
      assert.strictEqual(introduction(plugin, name), asCommand)
      assert.strictEqual(introduction(plugin, `/usr/lib/cni/${name}`), asCommand)
    })
  }

  it("is followed by the command's where it has to be the command under any name", () => {
    const named = (argv0: string) =>
      ChildProcess.spawnSync(plugin, ["cni-passthrough", "--version"], { argv0, env: {}, encoding: "utf8" }).stdout
    for (const name of ["passthrough", "exe", "cni-passthrough"]) assert.strictEqual(named(name), `${asCommand}\n`)
  })

  for (const name of ["passthrough", "passthrough-1.0.0", ".passthrough.42.new", "/opt/cni-passthrough/passthrough"]) {
    it(`is the plugin's: ${name}`, () => {
      assert.strictEqual(introduction(command, name), asPlugin)
    })
  }

  for (const name of ["bridge", "cni-passthroughs", "my-cni-passthrough", "cni-passthrough/bridge", "exe"]) {
    it(`is a wrapped plugin's: ${name}`, () => {
      const env = { ...attachment, CNI_COMMAND: "ADD" }
      const { stdout } = ChildProcess.spawnSync(command, { argv0: name, env, input: config, encoding: "utf8" })
      assert.include(JSON.parse(stdout).msg, `failed to find plugin "${Path.basename(name)}"`)
    })
  }

  it("is the one in the first line of a stub, whatever the plugin is called", () => {
    using demo = wrapped("echo mine")
    const file = Path.join(demo.places.folder, "cni-passthrough")
    Fs.renameSync(demo.own, Path.join(demo.places.plugins, "cni-passthrough"))
    Fs.renameSync(demo.file, file)
    assert.strictEqual(
      ChildProcess.execFileSync(file, { env: { CNI_COMMAND: "ADD" }, input: config }).toString(),
      "mine\n"
    )
  })
})

describe("the working directory", () => {
  const hook = `{"cniVersion":"1.0.0","name":"n","hookADD":["pwd -P > $OUT"]}`
  /** Where a hook of the plugin runs. */
  const placeOfHook = (cwd: string) => {
    using out = temporary()
    const env = { ...attachment, CNI_COMMAND: "ADD", OUT: `${out.path}/out`, PWD: "/nowhere" }
    ChildProcess.execFileSync(plugin, { cwd, env, input: hook })
    return Fs.readFileSync(`${out.path}/out`, "utf8").trim()
  }
  const validate = (script: string, env: object = {}) => {
    const { status, stderr } = ChildProcess.spawnSync("/bin/sh", ["-c", script, command], {
      env: { PATH: path, ...env },
      encoding: "utf8"
    })
    return { status, stderr }
  }
  const network = `{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"x"}]}`

  it("of the plugin is that of the runtime", () => {
    using folder = temporary()
    assert.strictEqual(placeOfHook(folder.path), Fs.realpathSync(folder.path))
  })

  it("of the command is that of its caller, whatever PWD says", () => {
    using folder = temporary()
    Fs.mkdirSync(`${folder.path}/deep/er`, { recursive: true })
    Fs.writeFileSync(`${folder.path}/deep/10-n.conflist`, network)
    const script = `cd ${folder.path}/deep/er && PWD=/nowhere exec "$0" validate --no-plugins ../10-n.conflist`
    assert.deepStrictEqual(validate(script), { status: 0, stderr: "" })
  })

  it("of the command may be deleted, or closed to its user", () => {
    using folder = temporary()
    Fs.chmodSync(folder.path, 0o755)
    Fs.writeFileSync(`${folder.path}/10-n.conflist`, network)
    const end = `exec "$0" validate --no-plugins ${folder.path}/10-n.conflist`
    const gone = `mkdir ${folder.path}/gone && cd ${folder.path}/gone && rmdir ../gone && ${end}`
    assert.deepStrictEqual(validate(gone), { status: 0, stderr: "" })
    const relative = `mkdir ${folder.path}/gone && cd ${folder.path}/gone && rmdir ../gone && exec "$0" show log.jsonl`
    assert.include(validate(relative).stderr, "log.jsonl")
    if (process.getuid?.() !== 0) return
    const closed = `mkdir -m 700 ${folder.path}/closed && cd ${folder.path}/closed && exec setpriv --reuid=65534 ` +
      `--regid=65534 --clear-groups ${end.replace("exec ", "")}`
    assert.deepStrictEqual(validate(closed), { status: 0, stderr: "" })
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
