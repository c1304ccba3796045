/** `wrap` that stays in the foreground, by the built command, beside installers of others that write plugins meanwhile. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Stub from "../../src/wrap/Stub.ts"
import { command, isStandalone, path, temporary } from "../support/plugin.ts"
import { describeInOneForm, describeWith } from "../support/requirements.ts"
import { withoutRuntimes } from "../support/runtimes.ts"
import * as Scripts from "../support/scripts.ts"
import { until } from "../support/until.ts"

const env = { PATH: path, UV_THREADPOOL_SIZE: "1" }

/** A plugin that says which version it is. */
const text = (version: number) => `#!/bin/sh\ncat > /dev/null; echo '{"cniVersion":"1.0.0","version":${version}}'\n`

const identity = (file: string) => {
  const { gid, ino, mode, mtimeMs, nlink, uid } = Fs.lstatSync(file)
  return { gid, ino, mode, mtimeMs, nlink, uid }
}

const make = (names: ReadonlyArray<string>) => {
  const root = temporary()
  const folder = Path.join(Fs.realpathSync(root.path), "bin")
  Fs.mkdirSync(folder)
  for (const name of names) Fs.writeFileSync(`${folder}/${name}`, text(0), { mode: 0o755 })
  return {
    root: root.path,
    folder,
    log: `${root.path}/log.jsonl`,
    isWrapped: (name: string) => Fs.readFileSync(`${folder}/${name}`, "utf8") === Stub.text(Stub.places(folder)),
    call: (name: string) =>
      ChildProcess.spawnSync(`${folder}/${name}`, {
        env: { ...env, CNI_COMMAND: "ADD", CNI_PATH: folder },
        input: `{"cniVersion":"1.0.0","name":"n","type":"${name}"}`,
        encoding: "utf8"
      }),
    state: () => Object.fromEntries(Fs.readdirSync(folder).sort().map((name) => [name, identity(`${folder}/${name}`)])),
    [Symbol.dispose]: root[Symbol.dispose]
  }
}

/** Runs `wrap` with these flags until it ends; `via` is a command that starts it. */
const stay = (host: ReturnType<typeof make>, via: ReadonlyArray<string>, ...flags: ReadonlyArray<string>) => {
  const [program = "", ...args] = [...via, command, "wrap", "--dir", host.folder, "--log", host.log, ...flags]
  const output = { stdout: "", stderr: "" }
  const child = ChildProcess.spawn(program, args, { env })
  child.stdout.on("data", (chunk: Buffer) => output.stdout += chunk)
  child.stderr.on("data", (chunk: Buffer) => output.stderr += chunk)
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.on("close", (status, signal) => resolve(signal ?? status))
  )
  return {
    output,
    ended,
    end: (signal: NodeJS.Signals) => {
      child.kill(signal)
      return ended
    }
  }
}

/** What installers of network plugins do, to a file of the folder, from the new file `$1`. */
const installers = {
  // Calico and multus: a copy beside it, and a rename.
  calico: `cp "$1" calico.tmp && chmod 755 calico.tmp && mv calico.tmp calico`,
  // Cilium: the same with a hidden file.
  "cilium-cni": `cp "$1" .cilium-cni.new && mv -f .cilium-cni.new cilium-cni`,
  // A copy with a name that nobody would take for one that passes.
  bridge: `cp "$1" bridge-install && mv bridge-install bridge`,
  // Init containers that do no more than to copy: flannel, and the reference plugins.
  flannel: `cp -f "$1" flannel`,
  portmap: `cat "$1" > portmap`,
  loopback: `install -m 755 "$1" loopback`
} as const

const names = Object.keys(installers) as ReadonlyArray<keyof typeof installers>

/** Those whose installers leave no moment without a whole plugin. */
const atomic = ["calico", "cilium-cni", "bridge"] as const

describe("wrap --watch beside the installers of others", () => {
  it("loses none of their versions, and at no time a plugin", async () => {
    using host = make(names)
    const watch = stay(host, [], "--watch")
    await until("all is wrapped", () => names.every(host.isWrapped))
    const rounds = 12
    for (let round = 1; round <= rounds; round++) {
      Fs.writeFileSync(`${host.root}/${round}`, text(round), { mode: 0o755 })
    }
    const failures = `${host.root}/failures`
    Fs.writeFileSync(failures, "")
    const scripts = names.map((name, index) => `
      cd ${host.folder}
      for round in $(seq ${rounds}); do
        set -- ${host.root}/$round
        ${installers[name]}
        found=$(CNI_COMMAND=ADD CNI_PATH=${host.folder} ./${name} < /dev/null 2>&1)
        [ "$found" = '{"cniVersion":"1.0.0","version":'$round'}' ] || echo "${name} $round: $found" >> ${failures}
        sleep 0.$(( (round * 37 + ${index} * 17) % 90 + 10 ))
        [ $((round % 3)) = 0 ] && sleep 1.3
      done`)
    const lookout = `
      while [ ! -e ${host.root}/stop ]; do
        for name in ${atomic.join(" ")}; do
          found=$(CNI_COMMAND=ADD CNI_PATH=${host.folder} ${host.folder}/$name < /dev/null 2>&1)
          case "$?$found" in '0{"cniVersion":"1.0.0","version":'*) ;; *) echo "$name: $found" >> ${failures} ;; esac
        done
      done`
    const run = (script: string) =>
      new Promise((resolve) => ChildProcess.spawn("sh", ["-c", script], { env, stdio: "ignore" }).on("close", resolve))
    const looking = run(lookout)
    await Promise.all(scripts.map(run))
    Fs.writeFileSync(`${host.root}/stop`, "")
    await looking
    assert.strictEqual(Fs.readFileSync(failures, "utf8"), "")
    await until("all is wrapped again", () => names.every(host.isWrapped))
    const last = { status: 0, stdout: `{"cniVersion":"1.0.0","version":${rounds}}\n`, stderr: "" }
    for (const name of names) assert.deepInclude(host.call(name), last, name)
    assert.strictEqual(await watch.end("SIGTERM"), 0)
    for (const name of names) {
      assert.strictEqual(Fs.readFileSync(`${host.folder}/${name}`, "utf8"), text(rounds), name)
    }
    assert.deepStrictEqual(Fs.readdirSync(host.folder).sort(), [...names].sort())
    assert.strictEqual(withoutRuntimes(watch.output.stderr), "")
  })
})

describeInOneForm("wrap --watch beside the installers of others", () => {
  it("bears two installers of the same plugin, and another one of itself", async () => {
    using host = make(["calico"])
    const watches = [stay(host, [], "--watch"), stay(host, [], "--watch")]
    await until("both began", () => watches.every(({ output }) => output.stdout.includes(host.folder)))
    const failures = `${host.root}/failures`
    Fs.writeFileSync(failures, "")
    for (const version of [1, 2]) Fs.writeFileSync(`${host.root}/${version}`, text(version), { mode: 0o755 })
    const run = (version: number) =>
      new Promise((resolve) =>
        ChildProcess.spawn("sh", [
          "-c",
          `
          cd ${host.folder}
          for round in 1 2 3 4 5 6; do
            cp ${host.root}/${version} .calico.${version} && mv -f .calico.${version} calico
            CNI_COMMAND=ADD CNI_PATH=${host.folder} ./calico < /dev/null | grep -q '"version":[12]' ||
              echo "${version} $round" >> ${failures}
            sleep $((round % 2)).${version}5
          done`
        ], { env, stdio: "ignore" }).on("close", resolve)
      )
    await Promise.all([1, 2].map(run))
    assert.strictEqual(Fs.readFileSync(failures, "utf8"), "")
    await until("calico is wrapped again", () => host.isWrapped("calico"))
    const [first, second] = watches
    assert.strictEqual(await first?.end("SIGTERM"), 0)
    await until("the other one wraps it again", () => host.isWrapped("calico"))
    assert.strictEqual(await second?.end("SIGTERM"), 0)
    assert.include([text(1), text(2)], Fs.readFileSync(`${host.folder}/calico`, "utf8"))
    assert.deepStrictEqual(Fs.readdirSync(host.folder), ["calico"])
  })

  it("leaves what is copied beside a plugin alone, as a stub of it would be renamed", async () => {
    using host = make(["calico"])
    const watch = stay(host, [], "--watch")
    await until("calico is wrapped", () => host.isWrapped("calico"))
    Fs.writeFileSync(`${host.folder}/calico.tmp`, text(1), { mode: 0o755 })
    Fs.writeFileSync(`${host.folder}/ptp`, text(1), { mode: 0o755 })
    await until("ptp is wrapped", () => host.isWrapped("ptp"))
    assert.isFalse(host.isWrapped("calico.tmp"))
    await watch.end("SIGTERM")
  })

  it("lets a plugin follow its stub that an installer renames, as it was slow", async () => {
    using host = make(["calico"])
    const watch = stay(host, [], "--watch", "--all")
    await until("calico is wrapped", () => host.isWrapped("calico"))
    for (const [name, place, other] of [["calico-new", "calico", "ptp"], ["felix-new", "felix", "vlan"]]) {
      Fs.writeFileSync(`${host.folder}/${name}`, text(1), { mode: 0o755 })
      await until("the copy is wrapped", () => host.isWrapped(`${name}`))
      Fs.writeFileSync(`${host.folder}/${other}`, text(1), { mode: 0o755 })
      await until("the watch looked once more", () => host.isWrapped(`${other}`))
      Fs.renameSync(`${host.folder}/${name}`, `${host.folder}/${place}`)
      await until("the new one runs", () => host.call(`${place}`).stdout.includes("\"version\":1"))
    }
    assert.strictEqual(await watch.end("SIGTERM"), 0)
    for (const name of ["calico", "felix"]) {
      assert.strictEqual(Fs.readFileSync(`${host.folder}/${name}`, "utf8"), text(1))
    }
    assert.deepStrictEqual(Fs.readdirSync(host.folder), ["calico", "felix", "ptp", "vlan"])
  })

  it("waits for plugins where there are none yet", async () => {
    using host = make([])
    const watch = stay(host, [], "--watch", "--plugins", "bridge")
    await until("it began", () => watch.output.stdout.includes(host.folder))
    for (const name of ["bridge", "ptp"]) Fs.writeFileSync(`${host.folder}/${name}`, text(1), { mode: 0o755 })
    await until("bridge is wrapped", () => host.isWrapped("bridge"))
    assert.isFalse(host.isWrapped("ptp"))
    await watch.end("SIGTERM")
    assert.deepStrictEqual(Fs.readdirSync(host.folder), ["bridge", "ptp"])
  })

  it("says once why a plugin is not wrapped, and tries again when it is written anew", async () => {
    using host = make(["bridge"])
    const watch = stay(host, [], "--watch")
    await until("bridge is wrapped", () => host.isWrapped("bridge"))
    Fs.writeFileSync(`${host.folder}/vlan`, "not a program", { mode: 0o755 })
    await until("vlan is refused", () => watch.output.stderr.includes("vlan"))
    Fs.writeFileSync(`${host.folder}/ptp`, text(1), { mode: 0o755 })
    await until("ptp is wrapped", () => host.isWrapped("ptp"))
    assert.strictEqual(watch.output.stderr.trim().split("\n").length, 1, watch.output.stderr)
    Scripts.script(`${host.folder}/vlan`, "echo '{}'")
    await until("vlan is wrapped", () => host.isWrapped("vlan"))
    await watch.end("SIGTERM")
  })
})

describe("wrap that stays in the foreground", () => {
  it("unwraps when its time is over, and leaves the folder as it was, to the inode", async () => {
    using host = make(["bridge", "portmap"])
    const before = host.state()
    const run = stay(host, [], "--for", "3s")
    await until("bridge is wrapped", () => host.isWrapped("bridge"))
    assert.strictEqual(await run.ended, 0)
    assert.include(run.output.stdout, "the time is over\n")
    assert.deepStrictEqual(host.state(), before)
  })

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    it(`unwraps on ${signal}, with exit status 0`, async () => {
      using host = make(["bridge"])
      const before = host.state()
      const run = stay(host, [], "--follow")
      await until("bridge is wrapped", () => host.isWrapped("bridge"))
      assert.strictEqual(await run.end(signal), 0)
      assert.deepStrictEqual(host.state(), before)
    })
  }

  it("takes over what a run left that was killed, and unwraps it", async () => {
    using host = make(["bridge"])
    const before = host.state()
    const first = stay(host, [], "--for", "1h")
    await until("bridge is wrapped", () => host.isWrapped("bridge"))
    await first.end("SIGKILL")
    assert.strictEqual(host.call("bridge").status, 0)
    const second = stay(host, [], "--for", "1h")
    await until("it took over", () => second.output.stdout.includes("already wrapped  bridge"))
    assert.strictEqual(await second.end("SIGTERM"), 0)
    assert.deepStrictEqual(host.state(), before)
  })

  it("shows calls with --follow as they end, and the one that failed first of all", async () => {
    using host = make(["bridge"])
    Scripts.script(`${host.folder}/host-local`, `echo '{"cniVersion":"1.0.0","code":11,"msg":"no addresses"}'; exit 1`)
    host.call("bridge") // before it began, which it does not show
    const run = stay(host, [], "--follow")
    await until("all is wrapped", () => host.isWrapped("bridge") && host.isWrapped("host-local"))
    host.call("host-local")
    await until("it is shown", () => run.output.stdout.includes("✗ host-local: code 11: no addresses"))
    await run.end("SIGTERM")
  })

  it("ends, and unwraps, where nobody reads what it shows any more", async () => {
    using host = make(["bridge"])
    const before = host.state()
    const script = `"$0" wrap --dir "$1" --log "$2" --follow | grep -m 1 -q "^ADD"`
    const ended = new Promise((resolve) =>
      ChildProcess.spawn("sh", ["-c", script, command, host.folder, host.log], { env }).on("close", resolve)
    )
    await until("bridge is wrapped", () => host.isWrapped("bridge"))
    const calls = setInterval(() => host.call("bridge"), 500)
    await ended
    clearInterval(calls)
    await until("it is unwrapped", () => !host.isWrapped("bridge") && !Fs.existsSync(`${host.folder}/.passthrough`))
    assert.deepStrictEqual(host.state(), before)
  })
})

/** A pipe that is full, and whose reader does not read. */
const stalledPipe = (path: string) => {
  ChildProcess.execFileSync("mkfifo", [path])
  const { O_NONBLOCK, O_RDWR } = Fs.constants
  const reader = Fs.openSync(path, O_RDWR | O_NONBLOCK)
  assert.throws(() => {
    for (;;) Fs.writeSync(reader, Buffer.alloc(4096))
  }, /EAGAIN/)
  const writer = Fs.openSync(path, "w")
  return {
    writer,
    [Symbol.dispose]: () => {
      Fs.closeSync(writer)
      Fs.closeSync(reader)
    }
  }
}

describe("wrap that stays in the foreground while no reader keeps up", () => {
  const endings = { "when its time is over": "4s", "on SIGTERM": "1h" }
  for (const [what, time] of Object.entries(endings)) {
    it(`unwraps, and ends, ${what}, on a full pipe`, async () => {
      using host = make(["bridge"])
      using pipe = stalledPipe(`${host.root}/pipe`)
      const before = host.state()
      const args = ["wrap", "--dir", host.folder, "--log", host.log, "--follow", "--watch", "--for", time]
      const child = ChildProcess.spawn(command, args, { env, stdio: ["ignore", pipe.writer, pipe.writer] })
      const ended = new Promise((resolve) => child.on("close", (status, signal) => resolve(signal ?? status)))
      await until("bridge is wrapped", () => host.isWrapped("bridge"))
      host.call("bridge")
      if (time === "1h") child.kill("SIGTERM")
      assert.strictEqual(await ended, 0)
      assert.deepStrictEqual(host.state(), before)
    })
  }

  it("unwraps, and ends, on a terminal that was stopped by Ctrl-S", async () => {
    using host = make(["bridge"])
    const before = host.state()
    const line = `'${command}' wrap --dir ${host.folder} --log ${host.log} --follow --for 6s`
    const child = ChildProcess.spawn("script", ["-qfec", line, "/dev/null"], { env, stdio: "pipe" })
    child.stdout.resume()
    child.stdin.write("\x13")
    await until("bridge is wrapped", () => host.isWrapped("bridge"))
    host.call("bridge")
    await new Promise((resolve) => child.on("close", resolve))
    assert.deepStrictEqual(host.state(), before)
  })

  it("unwraps on a full disk", async () => {
    using host = make(["bridge"])
    const before = host.state()
    const full = Fs.openSync("/dev/full", "w")
    const args = ["wrap", "--dir", host.folder, "--log", host.log, "--follow", "--for", "3s"]
    const child = ChildProcess.spawn(command, args, { env, stdio: ["ignore", full, full] })
    await until("bridge is wrapped", () => host.isWrapped("bridge"))
    await new Promise((resolve) => child.on("close", resolve))
    Fs.closeSync(full)
    assert.deepStrictEqual(host.state(), before)
  })
})

// The script form cannot exchange files: Node.js has no call for that.
if (isStandalone) {
  describe("an exchange of a plugin and its stub", () => {
    describeWith(["strace"], "while another program puts a file there", () => {
      const words = { wrap: "another program has replaced it", unwrap: "left alone  bridge" }
      for (const [verb, saying] of Object.entries(words)) {
        it(`leaves that file where it is: ${verb}`, async () => {
          using host = make(["bridge"])
          const run = (...args: ReadonlyArray<string>) =>
            ChildProcess.spawn(args[0] ?? "", [...args.slice(1), "--dir", host.folder], { env, stdio: "pipe" })
          const ended = (child: ChildProcess.ChildProcess) =>
            new Promise<string>((resolve) => {
              let said = ""
              child.stdout?.on("data", (chunk: Buffer) => said += chunk)
              child.stderr?.on("data", (chunk: Buffer) => said += chunk)
              child.on("close", () => resolve(said))
            })
          if (verb === "unwrap") await ended(run(command, "wrap"))
          const inject = "inject=renameat2:delay_enter=2000000"
          const child = run(
            "strace",
            "-f",
            "-o",
            `${host.root}/trace`,
            "-e",
            "trace=renameat2",
            "-e",
            inject,
            command,
            verb
          )
          const end = ended(child)
          const isAtIt = () => /renameat2.*RENAME_EXCHANGE/.test(Fs.readFileSync(`${host.root}/trace`, "utf8"))
          await until("it exchanges files", () => Fs.existsSync(`${host.root}/trace`) && isAtIt())
          Fs.writeFileSync(`${host.folder}/.new`, text(1), { mode: 0o755 })
          Fs.renameSync(`${host.folder}/.new`, `${host.folder}/bridge`)
          assert.include(await end, saying)
          assert.strictEqual(Fs.readFileSync(`${host.folder}/bridge`, "utf8"), text(1))
          assert.deepStrictEqual(Fs.readdirSync(host.folder), ["bridge"])
        })
      }
    })
  })
}

if (isStandalone) {
  describeWith(["strace"], "wrap --watch that is killed", () => {
    it("each time that it links or renames leaves plugins that run, and the next one finishes the work", async () => {
      const calls = "link,linkat,rename,renameat,renameat2"
      for (let count = 1, isOver = false; !isOver; count++) {
        using host = make(["bridge"])
        const { bridge } = host.state()
        const inject = `inject=${calls}:signal=KILL:when=${count}`
        const watch = stay(
          host,
          ["strace", "-D", "-f", "-o", "/dev/null", "-e", `trace=${calls}`, "-e", inject],
          "--watch"
        )
        let end: unknown
        void watch.ended.then((status) => end = status)
        await until("bridge is wrapped", () => host.isWrapped("bridge") || end !== undefined)
        Fs.writeFileSync(`${host.folder}/ptp`, text(1), { mode: 0o755 })
        await until("ptp is wrapped", () => host.isWrapped("ptp") || end !== undefined)
        isOver = end === undefined
        for (const name of ["bridge", "ptp"]) assert.strictEqual(host.call(name).status, 0, `killed at call ${count}`)
        await watch.end("SIGKILL")
        const next = stay(host, [], "--watch")
        await until("it began", () => next.output.stdout.includes(host.folder))
        await until("all is wrapped", () => host.isWrapped("bridge") && host.isWrapped("ptp"))
        assert.strictEqual(await next.end("SIGTERM"), 0)
        assert.deepStrictEqual(host.state()["bridge"], bridge, `killed at call ${count}`)
        assert.deepStrictEqual(Fs.readdirSync(host.folder), ["bridge", "ptp"])
      }
    })
  })
}
