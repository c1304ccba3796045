/** Plugins of every kind, wrapped around by the built plugin, and unwrapped, by the built command. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { attachment, command, isStandalone, path, plugin, records, temporary } from "../support/plugin.ts"
import { describeWith, itWithMounts } from "../support/requirements.ts"
import { withoutRuntimes } from "../support/runtimes.ts"
import * as Scripts from "../support/scripts.ts"

/** A command with one form of the plugin beside it. */
let home = { path: Path.dirname(command), [Symbol.dispose]: () => {} }

beforeAll(() => {
  if (isStandalone) return
  home = temporary()
  for (const file of [command, plugin]) Fs.copyFileSync(file, Path.join(home.path, Path.basename(file)))
})
afterAll(() => home[Symbol.dispose]())

const env = { PATH: path, UV_THREADPOOL_SIZE: "1" }

/** What a plugin does, whatever it is asked for. */
const kinds = {
  result: `cat > /dev/null; echo '{ "cniVersion": "1.0.0", "ips": [] }'`,
  echo: "cat",
  error: `echo words >&2; printf '{"cniVersion":"1.0.0","code":11,"msg":"try again"}'; exit 1`,
  chatty: `echo starting; echo '{"cniVersion":"1.0.0"}'`,
  binary: `printf '\\377\\0\\376'; printf '\\200' >&2`,
  silent: ":",
  seven: "exit 7",
  signal: "kill -KILL $$",
  abort: "echo half; kill -ABRT $$",
  name: `echo "\${0##*/}" "$#"`,
  environment: `echo "$CNI_COMMAND $CNI_CONTAINERID $CNI_ARGS"`
}

const identity = (file: string) => {
  const { gid, ino, mode, mtimeMs, nlink, uid } = Fs.lstatSync(file)
  return { gid, ino, mode, mtimeMs, nlink, uid }
}

const make = () => {
  const root = temporary()
  const folder = Path.join(Fs.realpathSync(root.path), "bin")
  const log = Path.join(root.path, "log")
  Fs.mkdirSync(folder)
  const names = () => Fs.readdirSync(folder).filter((name) => !name.startsWith(".")).sort()
  const call = (name: string, verb: string) => {
    const { signal, status, stderr, stdout } = ChildProcess.spawnSync(Path.join(folder, name), {
      env: { ...env, ...attachment, CNI_PATH: folder, CNI_ARGS: "A=1", CNI_COMMAND: verb },
      input: `{ "cniVersion": "1.0.0", "name": "n",  "type": "${name}" }`,
      timeout: 300_000
    })
    return { signal, status, stderr: stderr.toString("latin1"), stdout: stdout.toString("latin1") }
  }
  return {
    root: root.path,
    folder,
    log,
    names,
    call,
    state: () => Object.fromEntries(Fs.readdirSync(folder).sort().map((name) => [name, identity(`${folder}/${name}`)])),
    answers: (...verbs: ReadonlyArray<string>) =>
      Object.fromEntries(names().flatMap((name) => verbs.map((verb) => [`${verb} ${name}`, call(name, verb)]))),
    wrap: ["wrap", "--dir", folder, "--log", log],
    unwrap: ["unwrap", "--dir", folder],
    [Symbol.dispose]: () => root[Symbol.dispose]()
  }
}

const run = (args: ReadonlyArray<string>, via: ReadonlyArray<string> = []) => {
  const [program = "", ...rest] = [...via, Path.join(home.path, "cni-passthrough"), ...args]
  return ChildProcess.spawnSync(program, rest, { env, encoding: "utf8", timeout: 300_000 })
}

/** Runs the command, which is to end well. */
const succeed = (args: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = run(args)
  assert.deepStrictEqual([status, withoutRuntimes(stderr)], [0, ""], `${args.join(" ")}: ${stdout}`)
  return stdout
}

/** Runs the command while others run. */
const start = (args: ReadonlyArray<string>) =>
  new Promise<string>((resolve) => {
    const child = ChildProcess.spawn(Path.join(home.path, "cni-passthrough"), args, { env, stdio: "pipe" })
    let said = ""
    child.stderr.on("data", (chunk: Buffer) => said += chunk)
    child.stdout.resume()
    child.on("close", (status) => resolve(`${status}: ${said}`))
  })

/** Plugins that are few, for what is done with them often: a file of two names, and a link to it. */
const makeFew = () => {
  const host = make()
  Scripts.script(`${host.folder}/bridge`, `cat > /dev/null; echo '{"cniVersion":"1.0.0"}'`)
  Fs.linkSync(`${host.folder}/bridge`, `${host.folder}/portmap`)
  Fs.symlinkSync("bridge", `${host.folder}/weave-net`)
  return host
}

describe("a wrapped plugin", () => {
  it("gives its runtime the same as before, to the byte, and so it does after unwrap", () => {
    using host = make()
    for (const [name, text] of Object.entries(kinds)) Scripts.script(`${host.folder}/${name}`, text)
    Fs.symlinkSync("name", `${host.folder}/other-name`)
    const verbs = ["VERSION", "ADD", "DEL"]
    const [state, answers] = [host.state(), host.answers(...verbs)]
    succeed([...host.wrap, ...host.names()])
    assert.deepStrictEqual(host.answers(...verbs), answers)
    const labels = new Set(records(host.log).map(({ label }) => label))
    assert.deepStrictEqual([...labels].sort(), host.names())
    succeed(host.unwrap)
    assert.deepStrictEqual(host.state(), state)
    assert.deepStrictEqual(host.answers(...verbs), answers)
  })

  it("runs also by a link from another folder, and by a link that is not wrapped itself", () => {
    using host = makeFew()
    Fs.mkdirSync(`${host.root}/opt`)
    Fs.symlinkSync(`${host.folder}/bridge`, `${host.root}/opt/bridge`)
    const far = () => host.call("../opt/bridge", "ADD")
    const before = [far(), host.answers("ADD")]
    succeed([...host.wrap, "bridge"])
    assert.deepStrictEqual([far(), host.answers("ADD")], before)
    succeed(host.wrap)
    succeed([...host.unwrap, "weave-net"])
    assert.deepStrictEqual([far(), host.answers("ADD")], before)
    succeed(host.unwrap)
    assert.deepStrictEqual([far(), host.answers("ADD")], before)
  })
})

describe("a plugin below an overlay", () => {
  itWithMounts("of another file system is wrapped, and unwrapped", () => {
    using host = make()
    Scripts.script(`${host.folder}/bridge`, `cat > /dev/null; echo '{"cniVersion":"1.0.0"}'`)
    const script = `
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/bin
mount -t overlay overlay -o "lowerdir=$0,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/bin
"$1" wrap bridge --dir /mnt/bin --log /mnt/log && head -c 10 /mnt/bin/bridge && echo
"$1" unwrap --dir /mnt/bin && cmp "$0/bridge" /mnt/bin/bridge`
    const { status, stderr, stdout } = ChildProcess.spawnSync(
      "unshare",
      ["--mount", "sh", "-c", script, host.folder, Path.join(home.path, "cni-passthrough")],
      { env, encoding: "utf8" }
    )
    assert.deepStrictEqual([status, withoutRuntimes(stderr)], [0, ""])
    assert.include(stdout, "\n#!/mnt/bin")
    assert.include(stdout, "unwrapped  bridge\n")
  })
})

/** Calls a plugin as a user who is not root, and has no rights of one. */
const callAsNobody = (host: ReturnType<typeof make>, name: string) => {
  const user = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]
  const { status, stderr, stdout } = ChildProcess.spawnSync("setpriv", [...user, `${host.folder}/${name}`], {
    env: { ...env, ...attachment, CNI_PATH: host.folder, CNI_COMMAND: "ADD" },
    input: `{ "cniVersion": "1.0.0", "name": "n",  "type": "${name}" }`,
    encoding: "utf8"
  })
  return { status, stderr, stdout }
}

describeWith([], "a plugin that was wrapped under a strict umask", () => {
  for (const umask of ["077", "027"]) {
    it(`can be run by other users: ${umask}`, () => {
      using host = makeFew()
      Fs.chmodSync(host.root, 0o755)
      const before = callAsNobody(host, "bridge")
      assert.strictEqual(before.status, 0)
      const via = ["sh", "-c", `umask ${umask}; exec "$@"`, "sh"]
      const { status, stderr } = run(host.wrap, via)
      assert.deepStrictEqual([status, withoutRuntimes(stderr)], [0, ""])
      for (const name of host.names()) assert.deepStrictEqual(callAsNobody(host, name), before, name)
      const mode = (path: string) => Fs.statSync(`${host.folder}/.passthrough/${path}`).mode & 0o777
      assert.deepStrictEqual([".", "plugins", "passthrough", "config.json"].map(mode), [0o755, 0o755, 0o755, 0o644])
      succeed(host.unwrap)
    })
  }

  it("can be run by other users again once wrap was run anew", () => {
    using host = makeFew()
    Fs.chmodSync(host.root, 0o755)
    const before = callAsNobody(host, "bridge")
    succeed(host.wrap)
    for (const path of ["", "/plugins", "/passthrough"]) Fs.chmodSync(`${host.folder}/.passthrough${path}`, 0o700)
    assert.notStrictEqual(callAsNobody(host, "bridge").status, 0)
    succeed(host.wrap)
    assert.deepStrictEqual(callAsNobody(host, "bridge"), before)
  })
})

describe("a file system without room for another file", () => {
  itWithMounts("lets unwrap give the plugins back", () => {
    using host = makeFew()
    const script = `
mount -t tmpfs -o nr_inodes=40 tmpfs /mnt
cp -a "$0/." /mnt
"$1" wrap --dir /mnt --log /dev/null >&2
i=0; while touch "/mnt/.fill.$i" 2> /dev/null; do i=$((i + 1)); done
touch /mnt/.one-more 2> /dev/null && exit 9
"$1" unwrap --dir /mnt && cmp "$0/bridge" /mnt/bridge && readlink /mnt/weave-net
rm /mnt/.fill.*; ls -A /mnt`
    const { status, stderr, stdout } = ChildProcess.spawnSync(
      "unshare",
      ["--mount", "sh", "-c", script, host.folder, Path.join(home.path, "cni-passthrough")],
      { env, encoding: "utf8" }
    )
    assert.strictEqual(status, 0, stderr)
    assert.strictEqual(stdout, "/mnt\n  unwrapped  bridge, portmap, weave-net\nbridge\nbridge\nportmap\nweave-net\n")
  })
})

describeWith(["busybox-static"], "a program that is many plugins by its name", () => {
  it("is each of them also when it is wrapped", () => {
    using host = make()
    Fs.copyFileSync("/bin/busybox", `${host.folder}/cat`)
    Fs.linkSync(`${host.folder}/cat`, `${host.folder}/wc`)
    const [state, answers] = [host.state(), host.answers("ADD")]
    assert.notDeepEqual(answers["ADD cat"]?.stdout, answers["ADD wc"]?.stdout)
    succeed([...host.wrap, "--all"])
    assert.deepStrictEqual(host.answers("ADD"), answers)
    succeed(host.unwrap)
    assert.deepStrictEqual(host.state(), state)
  })
})

describe("an installer", () => {
  it("that copies over a wrapped plugin wins, and changes no other plugin", () => {
    using host = makeFew()
    const before = host.call("portmap", "ADD")
    succeed(host.wrap)
    Scripts.script(`${host.root}/new`, "echo newer")
    ChildProcess.execFileSync("cp", [`${host.root}/new`, `${host.folder}/bridge`])
    assert.strictEqual(host.call("bridge", "ADD").stdout, "newer\n")
    assert.deepStrictEqual(host.call("portmap", "ADD"), before)
    assert.match(succeed(host.unwrap), /left alone +bridge \(written over since it was wrapped\)/)
    assert.strictEqual(host.call("bridge", "ADD").stdout, "newer\n")
    assert.deepStrictEqual(Fs.readdirSync(host.folder), ["bridge", "portmap", "weave-net"])
  })
})

/** Calls all plugins again and again, in several processes, and notes each call that fails. */
const workers = (host: ReturnType<typeof makeFew>, count: number) => {
  const [stop, failures, calls] = [`${host.root}/stop`, `${host.root}/failures`, `${host.root}/calls`]
  Fs.writeFileSync(failures, "")
  const script = `
    while [ ! -e ${stop} ]; do
      for name in ${host.names().join(" ")}; do
        out=$(CNI_COMMAND=VERSION CNI_PATH=$1 ${host.folder}/$name < /dev/null 2> ${host.root}/stderr.$2)
        status=$?
        [ "$status $out" = '0 {"cniVersion":"1.0.0"}' ] ||
          echo "$name with $1: $status, $out, $(cat ${host.root}/stderr.$2)" >> ${failures}
        echo >> ${calls}
      done
    done`
  const ends = Array.from({ length: count }, (_, index) =>
    new Promise((resolve) => {
      // podman asks for versions without saying where plugins are.
      const cniPath = index % 2 === 0 ? host.folder : "dummy"
      ChildProcess.spawn("sh", ["-c", script, "sh", cniPath, String(index)], { env, stdio: "ignore" })
        .on("close", resolve)
    }))
  return {
    end: async () => {
      Fs.writeFileSync(stop, "")
      await Promise.all(ends)
      return { failures: Fs.readFileSync(failures, "utf8"), calls: Fs.statSync(calls).size }
    }
  }
}

describe("a host that goes on", () => {
  it("has not one call that fails while its plugins are wrapped and unwrapped again and again", async () => {
    using host = makeFew()
    const before = host.state()
    const { end } = workers(host, 8)
    const ended: Array<string> = []
    for (let round = 0; round < 3; round++) ended.push(await start(host.wrap), await start(host.unwrap))
    const { calls, failures } = await end()
    assert.strictEqual(failures, "")
    assert.isAbove(calls, 50)
    assert.deepStrictEqual(ended.filter((each) => each !== "0: "), [])
    succeed(host.unwrap)
    assert.deepStrictEqual(host.state(), before)
  })

  it("bears several that wrap and unwrap at the same time", async () => {
    using host = makeFew()
    const before = host.state()
    const { end } = workers(host, 2)
    const ended = await Promise.all([host.wrap, host.unwrap, host.wrap, host.unwrap, host.wrap].map(start))
    const { failures } = await end()
    assert.strictEqual(failures, "")
    assert.deepStrictEqual(ended.filter((each) => each !== "0: "), [])
    succeed(host.unwrap)
    assert.deepStrictEqual(host.state(), before)
  })
})

if (isStandalone) {
  describe("two forms of the command in turn on one folder", () => {
    it("have not one call that fails", async () => {
      using host = makeFew()
      using script = temporary()
      const built = Path.join(Path.dirname(command), "..")
      for (const name of ["cni-passthrough", "passthrough"]) {
        Fs.copyFileSync(Path.join(built, name), Path.join(script.path, name))
      }
      const { end } = workers(host, 4)
      for (let round = 0; round < 3; round++) {
        for (const folder of [script.path, home.path]) {
          const { status, stderr } = await new Promise<{ status: number | null; stderr: string }>((resolve) => {
            const child = ChildProcess.spawn(Path.join(folder, "cni-passthrough"), host.wrap, { env, stdio: "pipe" })
            let stderr = ""
            child.stderr.on("data", (chunk: Buffer) => stderr += chunk)
            child.stdout.resume()
            child.on("close", (status) => resolve({ status, stderr }))
          })
          assert.deepStrictEqual([status, withoutRuntimes(stderr)], [0, ""])
          assert.strictEqual(
            Fs.readFileSync(`${host.folder}/.passthrough/passthrough`).subarray(0, 2).toString() === "#!",
            folder === script.path
          )
        }
      }
      const { calls, failures } = await end()
      assert.strictEqual(failures, "")
      assert.isAbove(calls, 50)
      succeed(host.unwrap)
    })
  })
}

/** System calls that change a folder, by what they do. */
const changes = {
  "makes a folder": "mkdir,mkdirat",
  "copies": "copy_file_range,sendfile",
  "writes to the disk": "fsync",
  "links": "link,linkat",
  "renames": "rename,renameat,renameat2",
  "changes a mode": "chmod,fchmod,fchmodat",
  "changes an owner": "chown,fchown,fchownat,lchown",
  "removes": "unlink,unlinkat,rmdir"
}

/** Those that differ between the forms, as the script cannot exchange files: it renames instead. */
const ofThisForm = isStandalone ? changes : { "renames": changes["renames"] }

describeWith(["strace"], "a command that is killed", () => {
  for (const verb of ["wrap", "unwrap"] as const) {
    for (const [what, calls] of Object.entries(ofThisForm)) {
      it(`each time that ${verb} ${what} leaves plugins that run, and the next command finishes the work`, () => {
        using host = makeFew()
        Fs.rmSync(`${host.folder}/portmap`) // each call that is killed takes a second
        const [state, answers] = [host.state(), host.answers("ADD")]
        const strace = ["strace", "-f", "-o", "/dev/null", "-e", `trace=${calls}`]
        for (let count = 1;; count++) {
          if (verb === "unwrap") succeed(host.wrap)
          const inject = `inject=${calls}:signal=KILL:when=${count}`
          // Where it is a process of a plugin that was killed, the command says that the plugin is not wrapped.
          const { status } = run(host[verb], [...strace, "-e", inject])
          if (status === 0) break
          assert.deepStrictEqual(host.answers("ADD"), answers, `killed at call ${count} of ${calls}`)
          if (count % 2 === 0) {
            succeed(host.wrap)
            assert.deepStrictEqual(Fs.readdirSync(`${host.folder}/.passthrough`).sort(), [
              "config.json",
              "links",
              "passthrough",
              "plugins",
              "stubs"
            ])
          }
          succeed(host.unwrap)
          assert.deepStrictEqual(host.state(), state, `killed at call ${count} of ${calls}`)
        }
      })
    }
  }
})
