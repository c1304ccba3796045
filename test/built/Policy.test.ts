/** A policy beside the built plugin: who it is called by and how does not change what it forbids. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { attachment, path, plugin, temporary } from "../support/plugin.ts"
import { wrapped } from "../support/shim.ts"

const config = { cniVersion: "1.1.0", name: "n", type: "passthrough" }

const call = (
  file: string,
  fields: object,
  { argv0 = file, env = {} }: { readonly argv0?: string; readonly env?: { readonly [name: string]: string } } = {}
) => {
  const { status, stderr, stdout } = ChildProcess.spawnSync(file, {
    argv0,
    env: { PATH: path, ...attachment, CNI_COMMAND: "ADD", ...env },
    input: JSON.stringify({ ...config, ...fields }),
    encoding: "utf8"
  })
  return { status, stderr, stdout, error: status === 0 ? undefined : JSON.parse(stdout) }
}

/** A folder of plugins with our plugin and a policy. */
const installed = (policy: string) => {
  const folder = temporary()
  const bin = Path.join(folder.path, "bin")
  Fs.mkdirSync(bin)
  Fs.copyFileSync(plugin, `${bin}/passthrough`)
  Fs.writeFileSync(`${bin}/passthrough.policy.json`, policy, { mode: 0o644 })
  const ran = Path.join(folder.path, "ran")
  return { ...folder, path: folder.path, bin, file: `${bin}/passthrough`, ran, hooks: { hookADD: [`touch ${ran}`] } }
}

describe("a policy beside the plugin", () => {
  it("forbids hooks, however the plugin is called", () => {
    using host = installed(`{"hooks":false}`)
    Fs.mkdirSync(`${host.path}/elsewhere`)
    Fs.symlinkSync(host.file, `${host.path}/elsewhere/passthrough`)
    Fs.writeFileSync(`${host.path}/elsewhere/passthrough.policy.json`, `{"hooks":true}`)
    const calls = [
      call(host.file, host.hooks),
      call(`${host.path}/elsewhere/passthrough`, host.hooks),
      call(host.file, host.hooks, { argv0: "/elsewhere/passthrough" }),
      call(host.file, host.hooks, { env: { CNI_PATH: `${host.path}/elsewhere` } })
    ]
    for (const { error } of calls) {
      assert.strictEqual(error?.code, 7)
      assert.include(
        error?.msg,
        `hookADD: commands are forbidden by ${Fs.realpathSync(host.bin)}/passthrough.policy.json`
      )
    }
    assert.isFalse(Fs.existsSync(host.ran))
    Fs.rmSync(`${host.bin}/passthrough.policy.json`)
    assert.strictEqual(call(host.file, host.hooks).status, 0)
    assert.isTrue(Fs.existsSync(host.ran))
  })

  it("limits log files to folders, wherever symbolic links lead", () => {
    using host = installed("")
    Fs.mkdirSync(`${host.path}/log`)
    Fs.mkdirSync(`${host.path}/etc`)
    Fs.symlinkSync("../etc", `${host.path}/log/link`)
    Fs.symlinkSync("../none", `${host.path}/log/broken`)
    Fs.writeFileSync(`${host.bin}/passthrough.policy.json`, JSON.stringify({ logFolders: [`${host.path}/log`] }))
    for (const name of ["log/new/a", "log/a"]) {
      assert.strictEqual(call(host.file, { logFile: `${host.path}/${name}` }).status, 0)
      assert.isTrue(Fs.existsSync(`${host.path}/${name}`))
    }
    for (const name of ["etc/a", "log/link/a", "log/../etc/a", "log/broken/a", "logs/a"]) {
      const { error } = call(host.file, { logFile: `${host.path}/${name}` })
      assert.strictEqual(error?.code, 7)
      assert.match(error?.msg, /^invalid network configuration: logFile: the file "[^"]*" is forbidden by /)
    }
    assert.deepStrictEqual(Fs.readdirSync(`${host.path}/etc`), [])
    assert.isFalse(Fs.existsSync(`${host.path}/none`))
  })

  const broken: { readonly [name: string]: (file: string) => RegExp } = {
    "is not JSON": (file) => {
      Fs.writeFileSync(file, "{")
      return /it is not a JSON object/
    },
    "may be written by others": (file) => {
      Fs.chmodSync(file, 0o646)
      return /it has mode 0646/
    },
    "may be written by a group": (file) => {
      Fs.chmodSync(file, 0o664)
      return /it has mode 0664/
    },
    "is a symbolic link": (file) => {
      Fs.renameSync(file, `${file}.real`)
      Fs.symlinkSync(`${file}.real`, file)
      return /it is a symbolic link/
    },
    "is a symbolic link to nothing": (file) => {
      Fs.rmSync(file)
      Fs.symlinkSync(`${file}.real`, file)
      return /it is a symbolic link/
    },
    "is a folder": (file) => {
      Fs.rmSync(file)
      Fs.mkdirSync(file)
      return /it is not a regular file/
    },
    "is a FIFO": (file) => {
      Fs.rmSync(file)
      ChildProcess.execFileSync("mkfifo", [file])
      return /it is not a regular file/
    },
    "is too long": (file) => {
      Fs.writeFileSync(file, `{"hooks":true}${" ".repeat(70_000)}`)
      return /it has 70014 bytes/
    },
    ...(process.getuid?.() === 0
      ? {
        "is another user's": (file: string) => {
          Fs.chownSync(file, 65_533, 0)
          return /it belongs to the user 65533/
        }
      }
      : {})
  }
  for (const [name, spoil] of Object.entries(broken)) {
    it(`that ${name} forbids every ADD, and lets DEL go on without its hooks`, () => {
      using host = installed(`{"hooks":true}`)
      assert.strictEqual(call(host.file, {}).status, 0)
      const reason = spoil(`${host.bin}/passthrough.policy.json`)
      const { error } = call(host.file, {})
      assert.strictEqual(error?.code, 7)
      assert.match(error?.msg, reason)
      const del = call(host.file, { hookDEL: host.hooks.hookADD }, { env: { CNI_COMMAND: "DEL" } })
      assert.deepStrictEqual([del.status, del.stdout], [0, ""])
      assert.match(del.stderr, reason)
      assert.isFalse(Fs.existsSync(host.ran))
    })
  }
})

describe("a policy around a plugin", () => {
  for (const place of ["folder", "own"] as const) {
    it(`forbids hooks from ${place === "own" ? "beside the shim" : "the folder of plugins"}, and the plugin runs`, () => {
      using demo = wrapped("cat", { hookADD: ["touch $RAN"] })
      const ran = Path.join(demo.path, "ran")
      const options = { env: { RAN: ran } }
      assert.deepStrictEqual(demo.around(options), demo.alone(options))
      assert.isTrue(Fs.existsSync(ran))
      Fs.rmSync(ran)
      const file = Path.join(demo.places[place], "passthrough.policy.json")
      Fs.writeFileSync(file, `{"hooks":false}`)
      assert.deepStrictEqual(demo.around(options), demo.alone(options))
      assert.isFalse(Fs.existsSync(ran))
      assert.deepInclude(demo.records().findLast(({ event }) => event === "request"), {
        warnings: [`hookADD: commands are forbidden by ${file} ("hooks": false)`]
      })
    })
  }

  it("that cannot be used forbids hooks and logs, and the plugin runs", () => {
    using demo = wrapped("cat", { hookADD: ["touch $RAN"], onLogFailure: "fail" })
    const ran = Path.join(demo.path, "ran")
    Fs.writeFileSync(Path.join(demo.places.folder, "passthrough.policy.json"), `{"hooks":`)
    const options = { env: { RAN: ran } }
    assert.deepStrictEqual(demo.around(options), demo.alone(options))
    assert.isFalse(Fs.existsSync(ran))
  })
})
