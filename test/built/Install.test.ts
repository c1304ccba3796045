/** Putting the built plugin into place with the built command. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { attachment, command, isStandalone, path, plugin, repository, temporary } from "../support/plugin.ts"

const call = (...args: ReadonlyArray<string>) =>
  ChildProcess.spawnSync(command, args, { env: { PATH: path }, encoding: "utf8", timeout: 300_000 })

describe("cni-passthrough install", () => {
  it("puts a plugin there that answers, and takes it away again", () => {
    using folder = temporary()
    const to = Path.join(folder.path, "bin")
    const plugin = Path.join(to, "passthrough")
    Fs.mkdirSync(to)
    assert.strictEqual(call("install", "--to", to).status, 0)
    assert.deepStrictEqual(Fs.readdirSync(to), ["passthrough"])
    const answer = ChildProcess.execFileSync(plugin, {
      env: { PATH: path, CNI_COMMAND: "VERSION" },
      input: "{}",
      encoding: "utf8"
    })
    assert.include(JSON.parse(answer).supportedVersions, "1.1.0")
    assert.strictEqual(call("install", "--to", to, "--uninstall").status, 0)
    assert.deepStrictEqual(Fs.readdirSync(to), [])
  })

  it("leaves another program of that name as it is, when it installs and when it uninstalls", () => {
    using folder = temporary()
    const plugin = Path.join(folder.path, "passthrough")
    Fs.writeFileSync(plugin, "#!/bin/sh\necho another >&2\n", { mode: 0o755 })
    Fs.writeFileSync(Path.join(folder.path, ".libstdc++.so"), "of another program")
    for (const args of [[], ["--uninstall"], ["--uninstall", "--force"]]) {
      const { status, stderr } = call("install", "--to", folder.path, ...args)
      assert.strictEqual(status, 2)
      assert.include(stderr, `${plugin} is left alone: it is not the plugin of cni-passthrough (it says "another")`)
      assert.include(Fs.readFileSync(plugin, "utf8"), "echo another")
    }
    Fs.rmSync(plugin)
    assert.strictEqual(call("install", "--to", folder.path).status, 0)
    assert.strictEqual(call("install", "--to", folder.path).status, 0) // over our own
    assert.strictEqual(call("install", "--to", folder.path, "--uninstall").status, 0)
    assert.deepStrictEqual(Fs.readdirSync(folder.path), [".libstdc++.so"])
  })

  it("forbids hooks with --no-hooks, until it is uninstalled", () => {
    using folder = temporary()
    const [plugin, policy] = ["passthrough", "passthrough.policy.json"].map((name) => Path.join(folder.path, name))
    const add = () =>
      ChildProcess.spawnSync(plugin ?? "", {
        env: { PATH: path, ...attachment, CNI_COMMAND: "ADD" },
        input: `{"cniVersion":"1.0.0","name":"n","type":"passthrough","hookADD":["true"]}`,
        encoding: "utf8"
      }).stdout
    const umask = process.umask(0)
    assert.match(
      call("install", "--to", folder.path, "--no-hooks").stdout,
      /\nhooks are forbidden by \S+policy\.json\n$/
    )
    process.umask(umask)
    assert.match(add(), /"code":7,.*hookADD: commands are forbidden/)
    assert.match(call("install", "--to", folder.path).stdout, /\nhooks are forbidden by /)
    assert.match(add(), /"code":7,/)
    assert.strictEqual(call("install", "--to", folder.path, "--uninstall").status, 0)
    assert.deepStrictEqual(Fs.readdirSync(folder.path), [])

    assert.notInclude(call("install", "--to", folder.path).stdout, "forbidden")
    assert.notInclude(add(), "code")
    Fs.writeFileSync(policy ?? "", `{ "logFolders": ["/var/log/cni"] }`)
    assert.strictEqual(call("install", "--to", folder.path, "--no-hooks").status, 0)
    assert.deepStrictEqual(JSON.parse(Fs.readFileSync(policy ?? "", "utf8")), {
      logFolders: ["/var/log/cni"],
      hooks: false
    })
    assert.include(
      call("install", "--to", folder.path, "--uninstall").stderr,
      `kept ${policy}: it was edited since install`
    )
    assert.deepStrictEqual(Fs.readdirSync(folder.path), ["passthrough.policy.json"])
    Fs.writeFileSync(policy ?? "", `{ "hook": false }`)
    const broken = call("install", "--to", folder.path, "--no-hooks")
    assert.strictEqual(broken.status, 2)
    assert.include(broken.stderr, `${policy} cannot be used: "hook": no such field`)
  })

  it("says at once that a folder cannot be written", () => {
    const { status, stderr } = call("install", "--to", "/proc")
    assert.strictEqual(status, 2)
    assert.match(stderr, /cannot copy .+\/passthrough to \/proc: there is no such file or folder/)
  })

  it("takes a folder that is not there for a mistake, and makes none", () => {
    using folder = temporary()
    const { status, stderr, stdout } = call("install", "--to", Path.join(folder.path, "bni"))
    assert.deepStrictEqual([status, stdout], [2, ""])
    assert.include(stderr, `there is no folder ${folder.path}/bni: make it first (mkdir -p), if it is the one`)
    assert.deepStrictEqual(Fs.readdirSync(folder.path), [])
  })

  it.runIf(isStandalone)("needs nothing but the command, which may have been copied alone", () => {
    using folder = temporary()
    for (const name of ["home", "bin"]) Fs.mkdirSync(Path.join(folder.path, name))
    const [copy, to] = [Path.join(folder.path, "home/cni-passthrough"), Path.join(folder.path, "bin")]
    Fs.copyFileSync(command, copy)
    const { status, stdout } = ChildProcess.spawnSync(copy, ["install", "--to", to], { env: {}, encoding: "utf8" })
    assert.deepStrictEqual([status, stdout], [0, `installed ${Fs.realpathSync(copy)} as ${to}/passthrough\n`])
    const options = { env: { CNI_COMMAND: "VERSION" }, input: "{}", encoding: "utf8" } as const
    assert.include(ChildProcess.execFileSync(Path.join(to, "passthrough"), options), "supportedVersions")
    assert.deepStrictEqual(Fs.readdirSync(to), ["passthrough"])
  })

  it.runIf(isStandalone)(
    "takes the place of an older plugin that was installed beside its command, and goes again",
    () => {
      using folder = temporary()
      const to = folder.path
      // The script form is two files still, as both forms once were.
      const older = Path.join(repository, "dist")
      for (const name of ["passthrough", "cni-passthrough"]) Fs.copyFileSync(`${older}/${name}`, Path.join(to, name))
      assert.strictEqual(call("install", "--to", to).status, 0)
      assert.strictEqual(Fs.statSync(Path.join(to, "passthrough")).size, Fs.statSync(plugin).size)
      const uninstalled = ChildProcess.spawnSync(Path.join(to, "cni-passthrough"), [
        "install",
        "--uninstall",
        "--to",
        to
      ], {
        env: { PATH: path },
        encoding: "utf8"
      })
      assert.deepStrictEqual([uninstalled.status, uninstalled.stdout], [0, `removed ${to}/passthrough\n`])
      Fs.copyFileSync(`${older}/passthrough`, Path.join(to, "passthrough"))
      assert.strictEqual(call("install", "--uninstall", "--to", to).status, 0)
      assert.deepStrictEqual(Fs.readdirSync(to), ["cni-passthrough"])
    }
  )

  it.skipIf(isStandalone)("says what has to lie beside the command where it was copied alone", () => {
    using folder = temporary()
    const copy = Path.join(folder.path, "cni-passthrough")
    Fs.copyFileSync(command, copy)
    const { status, stderr } = ChildProcess.spawnSync(copy, ["install", "--to", folder.path], {
      env: { PATH: path },
      encoding: "utf8",
      timeout: 300_000
    })
    assert.strictEqual(status, 2)
    assert.include(stderr, `there is no passthrough in ${folder.path}: copy it beside this command, from the folder`)
  })
})
