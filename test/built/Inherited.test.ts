/** The built plugin around another one, which inherits from its caller what it would inherit without us. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { attachment, isStandalone, path } from "../support/plugin.ts"
import { describeWith, itAsRoot, itWithCgroup, itWithMounts } from "../support/requirements.ts"
import { config, wrapped } from "../support/shim.ts"
import { until } from "../support/until.ts"

/** What only the standalone form can see: Node.js hides it before our first line. */
const standalone = isStandalone ? it : it.skip

/** A user without rights. */
const asOther = "setpriv --reuid=64999 --regid=64999 --clear-groups"

/** How a shell command with `$P` in it ends, for the plugin alone and with us around it. */
const both = (demo: ReturnType<typeof wrapped>, command: string) => {
  Fs.chmodSync(demo.path, 0o755)
  const run = (file: string) => {
    const { status, stderr, stdout } = ChildProcess.spawnSync("/bin/bash", ["-c", command], {
      env: { PATH: path, ...attachment, CNI_COMMAND: "ADD", P: file },
      input: config,
      encoding: "utf8",
      maxBuffer: 2 ** 28
    })
    return { status, stdout: stdout.replaceAll(file, "P"), stderr: stderr.replaceAll(demo.own, "P") }
  }
  return [run(demo.file), run(demo.own)] as const
}

describe("around a plugin, its answer", () => {
  it("that it cannot write to a device fails as it does without us", () => {
    using demo = wrapped("echo answer || exit 7")
    const [around, alone] = both(demo, `"$P" > /dev/full`)
    assert.strictEqual(alone.status, 7)
    assert.deepStrictEqual(around, alone)
    assert.deepInclude(demo.records()[1].plugin, { exitCode: 7 })
  })

  for (const [redirection, source] of [["<&-", "cat || exit 6"], [">&-", "echo answer || exit 7"]] as const) {
    standalone(`fails as it does without us where a descriptor is closed: ${redirection}`, () => {
      using demo = wrapped(source)
      const [around, alone] = both(demo, `"$P" ${redirection}`)
      assert.strictEqual(alone.status, Number(source.at(-1)))
      assert.deepStrictEqual(around, alone)
    })
  }

  for (const way of ["", `trap '' HUP;`]) {
    it(`has its exit status where the caller ignores SIGCHLD: ${way}`, () => {
      using demo = wrapped("sleep 0.1; echo '{\"code\":7,\"msg\":\"no\"}'; exit 7")
      const [around, alone] = both(demo, `${way} exec perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' "$P"`)
      assert.strictEqual(alone.status, 7)
      assert.deepStrictEqual(around, alone)
      assert.deepInclude(demo.records().find(({ event }) => event === "plugin")?.plugin, { exitCode: 7 })
    })
  }

  standalone("that nobody reads any more ends it as it does without us", () => {
    using demo = wrapped("echo answer || exit 7")
    const [around, alone] = both(demo, `( sleep 0.5; echo | "$P"; echo "$?" >&2 ) | true`)
    assert.match(alone.stderr, /141/)
    assert.deepStrictEqual(around, alone)
  })

  it("that goes to a file comes there in its place, and to the log", () => {
    using demo = wrapped("echo '{\"a\":1}'; echo note >&2")
    const file = Path.join(demo.path, "out")
    for (const redirection of [`> ${file}`, `>> ${file}`, `> ${file} 2>&1`]) {
      const [around, alone] = both(demo, `echo before > ${file}; "$P" ${redirection}; cat ${file}`)
      assert.deepStrictEqual(around, alone)
    }
    assert.deepStrictEqual(
      demo.records().filter(({ event }) => event === "result").slice(0, 2).map(({ result }) => result),
      [
        { a: 1 },
        { a: 1 }
      ]
    )
    assert.strictEqual(demo.records()[1].plugin.stderr, "note\n")
  })
})

describe("around a plugin, its surroundings", () => {
  standalone("are the same: the soft limit of open files, and signals that are ignored", () => {
    using demo = wrapped("ulimit -Sn; ulimit -Hn; trap; head -1 /proc/self/status; trap -p; kill -HUP $$; echo lives")
    const [around, alone] = both(demo, `trap '' HUP USR1 INT; ulimit -Sn 300; "$P"`)
    assert.match(alone.stdout, /^300\n(?:.*\n)*lives\n$/)
    assert.strictEqual(around.stdout, alone.stdout)
  })

  standalone("are the same: bytes of variables that are not UTF-8, and names that shells do not know", () => {
    using demo = wrapped("tr '\\0' '\\n' < /proc/$$/environ | grep -av '^CNI_PASSTHROUGH_PARENT=' | od -c")
    const odd = `env -i PATH=/usr/bin:/bin CNI_COMMAND=ADD A.B=1 "CNI_ARGS=$(printf 'A=\\377b\\303')" "$P" < /dev/null`
    const [around, alone] = both(demo, odd)
    assert.include(alone.stdout, "377")
    assert.deepStrictEqual(around, alone)
  })

  it("may be a working directory that is gone", () => {
    using demo = wrapped("readlink /proc/$$/cwd; exit 4")
    const [around, alone] = both(
      demo,
      `mkdir ${demo.path}/gone; cd ${demo.path}/gone; rmdir ${demo.path}/gone; "$P" </dev/null`
    )
    assert.match(alone.stdout, /deleted/)
    assert.deepStrictEqual([around.status, around.stdout], [alone.status, alone.stdout])
  })

  for (const way of [asOther, `${asOther} unshare -U`]) {
    itAsRoot(`may be a working directory that may not be entered: ${way}`, () => {
      using demo = wrapped("cat; echo mine >&2; exit 4")
      const [around, alone] = both(
        demo,
        `mkdir -pm 700 ${demo.path}/closed; cd ${demo.path}/closed; exec ${way} bash -c '"$P"; exit $?'`
      )
      assert.strictEqual(alone.status, 4)
      assert.deepStrictEqual(around, alone)
    })
  }
})

describe("around a plugin, the process group of its caller", () => {
  it("gets no SIGHUP when the plugin ends, though another process of it is stopped", async () => {
    using demo = wrapped("sleep 0.3; exit 3")
    Fs.chmodSync(demo.path, 0o755)
    const script = `trap 'echo hung up' HUP; sleep 60 & kill -STOP $!; "$P"; echo "status $?"; sleep 0.2; kill -KILL $!`
    // The first process of a new session has no parent in it, so that its group is orphaned, as that of a service is.
    const child = ChildProcess.spawn("bash", ["-c", script], {
      detached: true,
      env: { PATH: path, ...attachment, CNI_COMMAND: "ADD", P: demo.own },
      stdio: ["ignore", "pipe", "ignore"]
    })
    let stdout = ""
    child.stdout.on("data", (chunk) => (stdout += chunk))
    await new Promise((resolve) => child.on("close", resolve))
    assert.strictEqual(stdout, "status 3\n")
  })
})

describe("around a plugin, its stdin", () => {
  it("comes to it as a whole for VERSION, also after a pause", () => {
    using demo = wrapped("cat")
    const paused = `( printf abc; sleep 1.5; printf def ) | CNI_COMMAND=VERSION "$P"`
    const [around, alone] = both(demo, paused)
    assert.strictEqual(alone.stdout, "abcdef")
    assert.deepStrictEqual(around, alone)
  })

  it("comes to it as a whole where it is larger than what we keep", () => {
    using demo = wrapped("wc -c; exit 3")
    const [around, alone] = both(demo, `head -c 80000000 /dev/zero | "$P"`)
    assert.strictEqual(alone.stdout, "80000000\n")
    assert.deepStrictEqual(around, alone)
  })
})

describe("around a plugin, a signal", () => {
  it("to its process group reaches it once", async () => {
    using demo = wrapped("trap 'echo got' TERM; echo ready; for i in $(seq 20); do sleep 0.1; done; echo end")
    const child = ChildProcess.spawn(demo.file, {
      env: { PATH: path, ...attachment, CNI_COMMAND: "ADD" },
      detached: true,
      stdio: ["ignore", "pipe", "ignore"]
    })
    let stdout = ""
    child.stdout.on("data", (chunk) => stdout += chunk)
    await until("it is ready", () => stdout.includes("ready"))
    process.kill(-(child.pid ?? 0), "SIGTERM")
    await new Promise((resolve) => child.on("close", resolve))
    assert.strictEqual(stdout, "ready\ngot\nend\n")
  })

  it("to the group of its caller reaches it once", () => {
    using demo = wrapped("trap 'echo got' TERM; echo ready; for i in $(seq 20); do sleep 0.1; done; echo end")
    const command = `set -m; ( trap : TERM; "$P" < /dev/null; : ) & ` +
      `until grep -q ready out 2> /dev/null; do sleep 0.05; done; kill -TERM -$!; wait; wait`
    const [around] = both(demo, `cd ${demo.path}; { ${command}; } | tee out`)
    assert.strictEqual(around.stdout, "ready\ngot\nend\n")
  })

  // Node.js does not tell of those without a name.
  for (const number of [25, 16, 30, ...(isStandalone ? [34, 64] : [])]) {
    it(`that kills it ends us the same way, and nothing of ours is on stdout: ${number}`, () => {
      using demo = wrapped(`ulimit -c 0; printf half; kill -${number} $$`)
      const [around, alone] = both(demo, `"$P"; echo " $?"`)
      assert.strictEqual(alone.stdout, `half ${128 + number}\n`)
      assert.strictEqual(around.stdout, alone.stdout)
    })
  }

  it("SIGKILL to us ends it too, however early it comes", async () => {
    using demo = wrapped("echo $$ > ${0%/*}/pid.new; mv ${0%/*}/pid.new ${0%/*}/pid; kill -KILL $PPID; exec sleep 600")
    for (let left = 5; left > 0; left--) {
      demo.around()
      const pid = Fs.readFileSync(Path.join(demo.places.plugins, "pid"), "utf8").trim()
      await until(`${pid} has ended`, () => !Fs.existsSync(`/proc/${pid}`))
    }
  })

  describeWith(["strace"], "SIGKILL to us", () => {
    it("ends it too, where it comes before the guard knows the process of the plugin", async () => {
      using demo = wrapped("echo $$ > ${0%/*}/pid; kill -KILL $PPID; exec sleep 600")
      // Whatever we start, we go on only when that has had half a second.
      const calls = "?clone,?clone3,?vfork"
      const via = `exec strace -qq -o /dev/null -e trace=${calls} -e inject=${calls}:delay_exit=500000 "$@"`
      assert.strictEqual(demo.around({ via }).signal, "SIGKILL")
      const pid = Fs.readFileSync(Path.join(demo.places.plugins, "pid"), "utf8").trim()
      await until(`${pid} has ended`, () => !Fs.existsSync(`/proc/${pid}`))
    })
  })
})

describe("around a plugin, where resources are scarce, it runs as it does without us:", () => {
  for (const limit of isStandalone ? [6, 8, 10, 12, 14, 16] : [24, 32]) {
    it(`${limit} descriptors`, () => {
      using demo = wrapped("cat; echo mine >&2; exit 4")
      const [around, alone] = both(demo, `ulimit -n ${limit}; "$P"`)
      assert.strictEqual(alone.status, 4)
      assert.deepStrictEqual(around, alone)
    })
  }

  for (const limit of isStandalone ? [12, 13] : []) {
    it(`${limit} descriptors, with which it must not be run twice`, () => {
      using demo = wrapped("echo >> ${0%/*}/calls; cat; exit 4")
      const calls = Path.join(demo.places.plugins, "calls")
      for (let count = 1; count <= 20; count++) {
        demo.around({ via: `ulimit -n ${limit}; exec "$@"` })
        assert.strictEqual(Fs.readFileSync(calls, "utf8"), "\n".repeat(count))
      }
    })
  }

  for (const limit of isStandalone ? [4, 5, 8, 16] : []) {
    itAsRoot(`${limit} processes of its user`, () => {
      using demo = wrapped("cat; echo mine >&2; exit 4")
      const [around, alone] = both(demo, `ulimit -u ${limit}; exec ${asOther} "$P"`)
      assert.strictEqual(alone.status, 4)
      assert.deepStrictEqual(around, alone)
    })
  }

  // What kills it with us is a shell, which may not be able to live either.
  itWithMounts("a shell that ends at once, and it runs once", () => {
    using demo = wrapped("echo >> ${0%/*}/calls; cat; exit 4")
    const calls = Path.join(demo.places.plugins, "calls")
    const command = `unshare --mount /bin/bash -c 'mount --bind /bin/true "$(realpath /bin/sh)" && exec "$P"'`
    for (let count = 1; count <= 10; count += 2) {
      const [around, alone] = both(demo, command)
      assert.deepStrictEqual(around, alone)
      assert.strictEqual(Fs.readFileSync(calls, "utf8"), "\n".repeat(count + 1))
    }
  })

  it("files may have no bytes", () => {
    using demo = wrapped("cat; echo mine >&2; exit 4")
    const [around, alone] = both(demo, `ulimit -f 0; "$P"`)
    assert.strictEqual(alone.status, 4)
    assert.deepStrictEqual(around, alone)
  })

  for (const limit of [1500, 4000]) {
    it(`${limit} MB of address space`, () => {
      using demo = wrapped("cat; echo mine >&2; exit 4")
      const [around, alone] = both(demo, `ulimit -v ${limit}000; "$P"`)
      assert.strictEqual(alone.status, 4)
      assert.deepStrictEqual(around, alone)
    })
  }

  // Node.js itself needs some.
  for (const limit of isStandalone ? ["5", "8", "20", "max"] : ["20", "max"]) {
    itWithCgroup(`${limit} processes of its cgroup`, (folder) => {
      using demo = wrapped("cat; echo mine >&2; exit 4")
      Fs.writeFileSync(Path.join(folder, "pids.max"), limit)
      const [around, alone] = both(demo, `echo $$ > ${folder}/cgroup.procs; exec "$P"`)
      assert.strictEqual(alone.status, 4)
      assert.deepStrictEqual(around, alone)
      assert.lengthOf(demo.records(), limit === "max" ? 3 : 1)
    })
  }
})

describeWith(["strace"], "around a plugin, where one call of ours gets no descriptor, it runs as without us:", () => {
  for (const name of ["openat", "pipe2", isStandalone ? "memfd_create" : "socketpair"]) {
    it(name, () => {
      using demo = wrapped("cat; echo mine >&2; exit 4")
      const trace = Path.join(demo.path, "trace")
      const alone = { signal: null, status: 4, stdout: config, stderr: "mine\n" }
      const traced = (inject = "") => {
        const via = `exec strace -qq -o ${trace} -e trace=openat,${name} ${inject} "$@"`
        const { signal, status, stderr, stdout } = demo.around({ via })
        return {
          outcome: { signal, status, stdout: String(stdout), stderr: String(stderr) },
          lines: Fs.readFileSync(trace, "utf8").split("\n")
        }
      }
      // Before we read our configuration, the engine opens what it cannot be without.
      const isOurs = (line: string) => line.includes(demo.places.config)
      const { lines, outcome } = traced()
      assert.deepStrictEqual(outcome, alone)
      let nth = lines.slice(0, lines.findIndex(isOurs)).filter((line) => line.startsWith(`${name}(`)).length
      let injected = 0
      for (let at = 0; at >= 0;) {
        nth++
        const run = traced(`-e inject=${name}:error=EMFILE:when=${nth}`)
        at = run.lines.findIndex((line) => line.endsWith("EMFILE (Too many open files) (INJECTED)"))
        if (!run.lines.slice(0, at + 1).some(isOurs)) continue
        injected++
        assert.deepStrictEqual(run.outcome, alone, run.lines[at])
      }
      assert.isAbove(injected, 0)
    })
  }
})
