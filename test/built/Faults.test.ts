/** What may go wrong around the plugin, and what it makes of it. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import {
  attachment,
  call,
  isStandalone,
  path,
  plugin,
  processesWith,
  records,
  run,
  temporary
} from "../support/plugin.ts"
import { itWithMounts } from "../support/requirements.ts"

const env = { ...attachment, PATH: path, CNI_COMMAND: "ADD" }
const config = (fields: object = {}) => JSON.stringify({ cniVersion: "1.1.0", name: "testing-net", ...fields })
const answer = `{"cniVersion":"1.1.0"}`

/** Runs a shell script that has the plugin as $0 and a document as $1. */
const shell = (script: string, stdin = config(), options: Omit<ChildProcess.SpawnSyncOptions, "encoding"> = {}) =>
  ChildProcess.spawnSync("/bin/bash", ["-c", script, plugin, stdin], { env, ...options, encoding: "utf8" })

/** What the plugin says of a stdin that is begun and never closed, by a pipe and by a socket. */
const neverClosed = () => {
  const byPipe = ["/bin/bash", "-c", `exec 3<&0; exec "$0" < <(exec cat <&3) 3<&-`, plugin]
  return Promise.all([byPipe, [plugin]].map(([program = "", ...args]) =>
    new Promise<string>((resolve) => {
      const child = ChildProcess.spawn(program, args, { env })
      child.stdin.write(`{"cniVersion":`)
      child.stdout.once("data", (data) => resolve(String(data)))
      child.on("exit", () => child.stdin.destroy())
    })
  ))
}

let waiting: ReturnType<typeof neverClosed>
beforeAll(() => {
  waiting = neverClosed() // for 30 s, in which the other tests run
})

describe("stdin", () => {
  it("that is closed from the start is an error of its own", () => {
    const { status, stdout } = shell(`"$0" <&-`)
    assert.strictEqual(status, 1)
    assert.include([5, 6], JSON.parse(String(stdout)).code)
  })

  it("of 64 MiB goes through", async () => {
    const prevResult = { pad: "x".repeat(64 * 2 ** 20) }
    const { code, stdout } = await call("ADD", { prevResult })
    assert.strictEqual(code, 0)
    assert.isTrue(stdout === JSON.stringify(prevResult))
  })

  it("that is 10,000 levels deep goes through, and into both logs", async () => {
    using folder = temporary()
    const deep = `{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}`
    const logSinks = ["text", "json"].map((format) => ({ type: "file", path: `${folder.path}/${format}`, format }))
    const stdin = `{"cniVersion":"1.1.0","name":"n","logSinks":${JSON.stringify(logSinks)},"prevResult":${deep}}`
    const { code, stdout } = await call("ADD", stdin)
    assert.strictEqual(code, 0)
    assert.isTrue(stdout === deep)
    assert.include(Fs.readFileSync(`${folder.path}/json`, "utf8"), deep)
    assert.isBelow(Fs.statSync(`${folder.path}/text`).size, 2 ** 21)
  })

  it("may repeat keys: the last one counts, as for libcni", async () => {
    const { stdout } = await call("ADD", `{"cniVersion":"1.1.0","name":"a","prevResult":{"a":1},"prevResult":{"b":2}}`)
    assert.strictEqual(stdout, `{"b":2}`)
  })

  it("may have __proto__ and constructor as keys: they mean nothing", async () => {
    using folder = temporary()
    const log = `${folder.path}/log`
    const hostile =
      `{"__proto__":{"logFile":"${log}","hookADD":["touch ${log}"]},"constructor":{"prototype":{"label":"x"}},` +
      `"cniVersion":"1.1.0","name":"a","prevResult":{"__proto__":{"a":1}}}`
    const { code, stdout } = await call("ADD", hostile)
    assert.deepStrictEqual([code, stdout], [0, `{"__proto__":{"a":1}}`])
    assert.isFalse(Fs.existsSync(log))
  })
})

describe("the environment", () => {
  it("may be without HOME, TMPDIR and everything else but PATH", async () => {
    assert.deepStrictEqual(await call("ADD", config()), { code: 0, stdout: answer, stderr: "" })
  })

  it("may have variables of other programs in it", async () => {
    const others = {
      NODE_OPTIONS: "--no-warnings",
      LOG_TARGET: "file:/tmp/x",
      TRACEPARENT: "not\na trace \u001b[31m",
      NO_COLOR: "1",
      DEBUG: "*",
      BUN_CONFIG_VERBOSE_FETCH: "1",
      LANG: "tlh_QO"
    }
    assert.deepStrictEqual(await call("ADD", config(), others), { code: 0, stdout: answer, stderr: "" })
  })

  it("may have 100 KB of CNI_ARGS, with control characters, which reach no line and no name of a log", async () => {
    using folder = temporary()
    const args = `IgnoreUnknown=1;K8S_POD_NAME=a\u001b[2J\n/../b;X=${"\u0007\n".repeat(50_000)}`
    const logFile = `${folder.path}/\${K8S_POD_NAME}.log`
    const { code } = await call("ADD", { logFile }, { CNI_ARGS: args })
    assert.strictEqual(code, 0)
    const [name = ""] = Fs.readdirSync(folder.path)
    assert.strictEqual(name, "a_[2J__.._b.log")
    const text = Fs.readFileSync(Path.join(folder.path, name), "utf8")
    // oxlint-disable-next-line no-control-regex
    assert.notMatch(text, /[\0-\u0009\u000b-\u001f]/)
    assert.strictEqual(text.match(/^CNI_ARGS: /gm)?.length, 1)
  })

  for (
    const [what, netns] of [
      ["deleted", "/run/netns/gone"],
      ["not a namespace", "/etc/hostname"],
      ["a folder", "/"],
      ["no path", "\u0000\n".replace("\u0000", "")]
    ] as const
  ) {
    it(`may name a namespace that is ${what}: that is for the next plugin to refuse`, async () => {
      assert.strictEqual((await call("ADD", config(), { CNI_NETNS: netns })).code, 0)
      assert.strictEqual((await call("DEL", config(), { CNI_NETNS: netns })).code, 0)
    })
  }

  it("may have a working directory that is deleted", () => {
    const { status, stdout } = shell(
      `cd "$(mktemp -d)" && rmdir "$PWD" && printf %s "$1" | "$0"`
    )
    assert.deepStrictEqual([status, stdout], [0, answer])
  })
})

describe("a log", () => {
  it("may be in a folder that is missing", async () => {
    using folder = temporary()
    const logFile = `${folder.path}/a/b/log.jsonl`
    assert.strictEqual((await call("ADD", { logFile, logFormat: "json" })).code, 0)
    assert.strictEqual(records(logFile).length, 2)
    assert.deepStrictEqual([Fs.statSync(logFile).mode & 0o777, Fs.statSync(`${folder.path}/a`).mode & 0o777], [
      0o600,
      0o700
    ])
  })

  it("in a folder that cannot be made is error 5, and no endless attempt", async () => {
    const { code, stdout } = await call("ADD", { logFile: "/proc/none/a/log" })
    assert.strictEqual(code, 1)
    assert.match(JSON.parse(stdout).msg, /file "\/proc\/none\/a\/log": ENOENT/)
  })

  itWithMounts("on a read-only file system is error 5", () => {
    const script = `mount -t tmpfs -o ro tmpfs /mnt && printf %s "$1" | "$0"`
    const stdin = config({ logFile: "/mnt/log" })
    const { stdout } = ChildProcess.spawnSync("unshare", ["--mount", "bash", "-c", script, plugin, stdin], {
      env,
      encoding: "utf8"
    })
    assert.match(JSON.parse(stdout).msg, /file "\/mnt\/log": EROFS/)
  })

  itWithMounts("on a disk that is full in the middle of a record has no half line in front of the next one", () => {
    const script = `
mount -t tmpfs -o size=16k tmpfs /mnt
printf %s "$1" | "$0"; echo
rm /mnt/ballast
printf %s "$2" | CNI_COMMAND=DEL "$0"
cat /mnt/log`
    const fields = { logFile: "/mnt/log", logFormat: "json" }
    const large = config({ ...fields, pad: "x".repeat(9000), hookADD: ["head -c 8192 /dev/zero > /mnt/ballast; true"] })
    const fill = `mount -t tmpfs -o size=16k tmpfs /mnt; head -c 8192 /dev/zero > /mnt/ballast; ${
      script.split("\n").slice(2).join("\n")
    }`
    const { stdout } = ChildProcess.spawnSync(
      "unshare",
      ["--mount", "bash", "-c", fill, plugin, large, config(fields)],
      {
        env,
        encoding: "utf8"
      }
    )
    const [error = "", ...lines] = stdout.trimEnd().split("\n")
    assert.match(JSON.parse(error).msg, /no space for the record: \d+ of \d+ bytes could be written/)
    const whole = lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line))
    assert.deepStrictEqual(whole.map(({ command, event }) => `${command} ${event}`), ["DEL request", "DEL result"])
  })

  it("that is rotated away in mid-run is made anew", async () => {
    using folder = temporary()
    const logFile = `${folder.path}/log`
    await call("ADD", { logFile, logFormat: "json", hookADD: [`mv ${logFile} ${logFile}.1`] })
    assert.deepStrictEqual(records(`${logFile}.1`).map(({ event }) => event), ["request"])
    assert.deepStrictEqual(records(logFile).map(({ event }) => event), ["hook", "result"])
  })
})

describe("a hook", () => {
  /** The report of one hook that ran in an ADD. */
  const report = async (hook: unknown, fields: object = {}) => {
    using folder = temporary()
    const logFile = Path.join(folder.path, "log")
    const { code, stdout } = await call("ADD", { logFile, logFormat: "json", hookADD: [hook], ...fields })
    assert.deepStrictEqual([code, stdout], [0, answer])
    return records(logFile)[1].hook
  }

  it("that ignores SIGTERM is killed when its time is up, with its children", async () => {
    const sleep = `8${process.pid}.1`
    const { signal, timedOut } = await report(`trap '' TERM; sleep ${sleep} & wait; sleep ${sleep}`, {
      hookTimeout: "300ms"
    })
    assert.deepStrictEqual([signal, timedOut], ["SIGKILL", true])
    assert.deepStrictEqual(processesWith(`sleep ${sleep}`), [])
  })

  it("that prints 1 GB has 1 MiB of it logged, and does not fill the memory", async () => {
    const { exitCode, stdout, truncated } = await report("head -c 1000000000 /dev/zero | tr '\\0' y", {
      hookTimeout: "10m"
    })
    assert.deepStrictEqual([exitCode, stdout.length, truncated], [0, 2 ** 20, true])
  })

  it("that prints binary has U+FFFD in its place", async () => {
    assert.strictEqual((await report("printf 'a\\377\\0b'")).stdout, "a\uFFFD\0b")
  })

  it("that exits with 255, or dies by a signal, is told so", async () => {
    assert.strictEqual((await report("exit 255")).exitCode, 255)
    const { exitCode, signal } = await report("kill -SEGV $$")
    assert.deepStrictEqual([exitCode, signal], [null, "SIGSEGV"])
  })

  it("that does not exist is told so", async () => {
    const { exitCode, stderr } = await report({ command: ["/no/such/program"] })
    assert.strictEqual(exitCode, null)
    assert.match(stderr, /cannot start \/no\/such\/program: .*ENOENT/)
  })

  it("that never reads its stdin is not waited for, however long the document is", async () => {
    assert.strictEqual((await report("exec sleep 0.1", { pad: "x".repeat(2 ** 20) })).exitCode, 0)
  })

  it("may delete the namespace of the container", async () => {
    using folder = temporary()
    const netns = Path.join(folder.path, "netns")
    Fs.writeFileSync(netns, "")
    const { code } = await call("ADD", { hookADD: ["rm $CNI_NETNS"] }, { CNI_NETNS: netns })
    assert.deepStrictEqual([code, Fs.existsSync(netns)], [0, false])
  })
})

describe("stdout", () => {
  it("that is closed early ends the run with status 1, and the log says why", () => {
    using folder = temporary()
    const logFile = Path.join(folder.path, "log")
    const stdin = config({
      logFile,
      logFormat: "json",
      hookADD: [`until [ -e ${folder.path}/closed ]; do sleep 0.05; done`]
    })
    const { stderr } = shell(
      `printf %s "$1" | { "$0"; echo "status $?" >&2; } | { exec <&-; touch ${folder.path}/closed; }`,
      stdin
    )
    assert.match(String(stderr), /cannot write to stdout: .*EPIPE/)
    assert.match(String(stderr), /status 1/)
    assert.strictEqual(records(logFile).at(-1).error.code, 5)
  })
})

describe("the executable", () => {
  it("may be replaced while runs are under way", async () => {
    using folder = temporary()
    const copy = Path.join(folder.path, "passthrough")
    const replace = () => {
      Fs.copyFileSync(plugin, `${copy}.new`)
      Fs.renameSync(`${copy}.new`, copy)
    }
    replace()
    const done = new AbortController()
    const replacing = (async () => {
      while (!done.signal.aborted) {
        replace()
        await new Promise((resolve) => setTimeout(resolve, isStandalone ? 200 : 5))
      }
    })()
    const runs = await Promise.all(
      Array.from({ length: 50 }, () =>
        run({
          env: { ...attachment, CNI_COMMAND: "ADD" },
          stdin: config(),
          via: ["/bin/sh", "-c", "shift; exec \"$0\"", copy]
        }))
    )
    done.abort()
    await replacing
    assert.deepStrictEqual(runs.filter(({ code, stdout }) => code !== 0 || stdout !== answer), [])
  })
})

describe("secrets", () => {
  it("that `redact` names are in no log, while the result and the hooks have them", async () => {
    using folder = temporary()
    const logSinks = ["text", "json"].map((format) => ({ type: "file", path: `${folder.path}/${format}`, format }))
    const prevResult = { dns: { search: ["secret-1"] }, ips: [{ address: "10.0.0.1/8", password: "secret-2" }] }
    const { stderr, stdout } = await call("ADD", {
      logSinks: [...logSinks, { type: "stderr" }],
      redact: ["password", "/prevResult/dns/search/0"],
      password: { user: "secret-3" },
      hookADD: [`cat > ${folder.path}/stdin`],
      prevResult
    })
    assert.strictEqual(stdout, JSON.stringify(prevResult))
    for (const log of [stderr, ...["text", "json"].map((name) => Fs.readFileSync(`${folder.path}/${name}`, "utf8"))]) {
      assert.notInclude(log, "secret-")
      assert.include(log, "[redacted]")
      assert.include(log, "10.0.0.1/8")
    }
    assert.strictEqual(Fs.readFileSync(`${folder.path}/stdin`, "utf8").match(/secret-\d/g)?.length, 3)
  })
})

describe("what looks like a secret", () => {
  it("is in no log where `redact` names secrets, and the result and the hooks have it", async () => {
    using folder = temporary()
    const logSinks = ["text", "json"].map((format) => ({ type: "file", path: `${folder.path}/${format}`, format }))
    const prevResult = { dns: { search: ["https://u:secret-1@h/"] }, ips: [{ address: "10.0.0.1/8" }] }
    const fields = {
      logSinks: [...logSinks, { type: "stderr" }],
      url: "postgres://u:secret-2@h/db",
      hookADD: ["echo Authorization: Bearer secret-3; echo token=secret-4 >&2; exit 3"],
      onHookFailure: "ignore",
      prevResult
    }
    const logs = () => ["text", "json"].map((name) => Fs.readFileSync(`${folder.path}/${name}`, "utf8"))
    const { stderr, stdout } = await call("ADD", { ...fields, redact: ["secrets"] }, { CNI_ARGS: "TOKEN=secret-5;A=b" })
    assert.strictEqual(stdout, JSON.stringify(prevResult))
    for (const log of [stderr, ...logs()]) {
      assert.notInclude(log, "secret-")
      assert.include(log, "TOKEN=[redacted];A=b")
      assert.include(log, "10.0.0.1/8")
    }
    await call("ADD", fields, { CNI_ARGS: "TOKEN=secret-5;A=b" })
    for (const log of logs()) assert.strictEqual(new Set(log.match(/secret-\d/g)).size, 5)
  })
})

describe("stderr that nobody reads", () => {
  /** Fills stderr, which is inherited or a pipe of its own, and runs an ADD: its stdout, and after it its exit status. */
  const filled = (redirection: string) => `
${redirection}
head -c 100000000 /dev/zero >&2 & filler=$!
written() { sed -n 's/^wchar: //p' /proc/$filler/io; }
until [ "$(written)" -gt 60000 ] && [ "$(written)" = "$(sleep 0.1; written)" ]; do :; done
printf %s "$1" | timeout 120 "$0"
echo " $?"
kill $filler $reader`
  const withFullStderr = async (kind: "pipe" | "socket", fields: object): Promise<string> => {
    const script = filled(kind === "pipe" ? "exec 2> >(exec sleep 300 >/dev/null) && reader=$!" : "")
    const child = ChildProcess.spawn("/bin/bash", ["-c", script, plugin, config(fields)], { env }) // stderr is a socket
    let stdout = ""
    child.stdout.on("data", (chunk) => (stdout += chunk))
    await new Promise((resolve) => child.on("exit", resolve))
    child.stderr.destroy()
    return stdout
  }

  for (const kind of ["pipe", "socket"] as const) {
    it(`does not keep a run waiting that has a notice for it (${kind})`, async () => {
      const stdout = await withFullStderr(kind, { logFile: "/dev/full", onLogFailure: "ignore" })
      assert.strictEqual(stdout, `{"cniVersion":"1.1.0"} 0\n`)
    })

    it(`fails the stderr sink in time (${kind})`, async () => {
      const fields = { logSinks: [{ type: "stderr" }], logTimeout: "300ms", onLogFailure: "ignore" }
      assert.strictEqual(await withFullStderr(kind, fields), `{"cniVersion":"1.1.0"} 0\n`)
    })
  }
})

describe("half a line", () => {
  it("that a killed run left does not swallow the next record", async () => {
    using folder = temporary()
    const logFile = Path.join(folder.path, "log.jsonl")
    Fs.writeFileSync(logFile, `{"time":"2026-11-24T10:00:00.000Z","event":"req`)
    await call("ADD", { logFile, logFormat: "json" })
    const lines = Fs.readFileSync(logFile, "utf8").trimEnd().split("\n")
    assert.deepStrictEqual(lines.slice(1).map((line) => JSON.parse(line).event), ["request", "result"])
  })
})

describe("few descriptors", () => {
  for (let limit = 4; limit <= 32; limit++) {
    it(`(${limit}) leave one document, and words instead of the engine's messages`, () => {
      const fields = {
        hookADD: ["echo hi"],
        onHookFailure: "fail",
        logSinks: [{ type: "syslog", address: "/dev/log" }]
      }
      const { status, stderr, stdout } = shell(`ulimit -n ${limit}; printf %s "$1" | "$0"`, config(fields))
      if (stdout === "" && (status !== 1 || stderr.includes("node:internal"))) return // the engine did not come up
      assert.isObject(JSON.parse(stdout), stderr)
      assert.notMatch(stdout + stderr, /undefined|TypeError|unhandled|at Object/i)
    })
  }
})

describe("stderr that is a file", () => {
  it("keeps what others write there", () => {
    using folder = temporary()
    const file = Path.join(folder.path, "stderr")
    const fields = { logFile: "/dev/full", onLogFailure: "ignore" }
    shell(`{ echo before; printf %s "$1" | "$0"; echo after; } >"${file}" 2>&1`, config(fields))
    const text = Fs.readFileSync(file, "utf8")
    assert.match(text, /^before\n.*passthrough: cannot log this request: .*ENOSPC.*\n.*after\n$/s)
  })
})

describe("a document without end", () => {
  it("is refused when it is larger than any real one", () => {
    const { stdout } = shell("head -c 270000000 /dev/zero | tr '\\0' ' ' | \"$0\"")
    assert.deepInclude(JSON.parse(stdout), {
      code: 5,
      msg: "cannot read the network configuration from stdin: it is larger than 256 MiB"
    })
  })
})

describe("the pipes of a hook", () => {
  const hooked = { hookADD: ["echo hi"], onHookFailure: "fail" }
  const answer = `{"cniVersion":"1.1.0"}`

  it("are made in another folder where TMPDIR is not absolute, or not there", () => {
    for (const name of ["relative", "/no/such/folder", "/dev/null"]) {
      assert.strictEqual(shell(`cd /; printf %s "$1" | TMPDIR=${name} "$0"`, config(hooked)).stdout, answer)
    }
  })

  itWithMounts("are made in another folder where TMPDIR is full", () => {
    using folder = temporary()
    ChildProcess.execFileSync("mount", ["-t", "tmpfs", "-o", "size=8k", "tmpfs", folder.path])
    try {
      const fill = `head -c 100000 /dev/zero > "${folder.path}/ballast" 2>/dev/null`
      assert.strictEqual(shell(`${fill}; printf %s "$1" | TMPDIR=${folder.path} "$0"`, config(hooked)).stdout, answer)
    } finally {
      ChildProcess.execFileSync("umount", [folder.path])
    }
  })

  it("leave nothing of the configuration behind, however few descriptors there are", () => {
    using folder = temporary()
    const fields = { hookADD: ["(sleep 0.1)& true", "true"], secret: "s3cr3t" }
    for (let limit = 8; limit <= 40; limit += 2) {
      shell(`ulimit -n ${limit}; printf %s "$1" | TMPDIR=${folder.path} "$0"`, config(fields))
    }
    assert.deepStrictEqual(Fs.readdirSync(folder.path), [])
  })

  it("do not keep a run waiting where what makes them hangs", () => {
    using folder = temporary()
    Fs.writeFileSync(Path.join(folder.path, "mkfifo"), "#!/bin/sh\nexec sleep 300\n", { mode: 0o755 })
    const started = performance.now()
    const { stdout } = shell(`export PATH="${folder.path}:$PATH"; printf %s "$1" | "$0"`, config(hooked))
    assert.strictEqual(JSON.parse(stdout).code, isStandalone ? undefined : 100) // that form makes them by itself
    assert.isBelow(performance.now() - started, 200_000)
  })
})

describe("a stdin that is never closed", () => {
  it("is given up after 30 s, with code 5", async () => {
    for (const stdout of await waiting) {
      const { code, msg } = JSON.parse(stdout)
      assert.deepStrictEqual(
        { code, msg },
        { code: 5, msg: "cannot read the network configuration from stdin: it was not closed within 30 s" }
      )
    }
  })
})
