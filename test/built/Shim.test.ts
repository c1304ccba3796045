/** The built plugin around another plugin: real programs, and what may not become different by us. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { isStandalone, path, plugin } from "../support/plugin.ts"
import { config, wrapped } from "../support/shim.ts"
import { until } from "../support/until.ts"

const verbs = ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"]

const isAlive = (pid: number) => Fs.existsSync(`/proc/${pid}`)

const ended = (child: ChildProcess.ChildProcess) =>
  new Promise<readonly [number | null, string | null]>((resolve) =>
    child.on("close", (code, signal) => resolve([code, signal]))
  )

describe("around a plugin, the outcome is the same to the byte", () => {
  const plugins = {
    "gives a result": "cat",
    "gives an error document": `echo '{"cniVersion":"1.0.0","code":11,"msg":"no addresses"}'; exit 1`,
    "writes text before its document": "echo loading; cat; echo warning >&2",
    "gives nothing": "exit 0",
    "exits with status 7": "echo half; exit 7",
    "ends by SIGKILL": "echo half; kill -KILL $$",
    "ends by SIGABRT": "kill -ABRT $$",
    "ends by SIGSEGV": "ulimit -c 0; kill -SEGV $$",
    "ends by SIGTERM": "kill -TERM $$",
    "ends by SIGPIPE": "exec sh -c 'kill -PIPE $$'",
    "writes 10 MiB": "head -c 10485760 /dev/zero | tr '\\0' x",
    "writes 1 MiB to stderr": "head -c 1048576 /dev/zero | tr '\\0' x >&2",
    "writes bytes that are not text": "printf '\\377\\000\\376'; printf '\\200' >&2",
    "does not read its stdin": "echo done",
    "leaves a process behind that holds its output": "(sleep 0.3; echo late) & echo early",
    "is told its name": "basename $0"
  }
  for (const [name, source] of Object.entries(plugins)) {
    it(`of one that ${name}`, () => {
      using demo = wrapped(source)
      assert.deepStrictEqual(demo.around(), demo.alone())
    })
  }

  for (const command of verbs) {
    it(`of ${command}, whatever it is given`, () => {
      using demo = wrapped(`echo $CNI_COMMAND $CNI_CONTAINERID; cat; exit 3`)
      for (const stdin of [config, "", "no JSON", Buffer.from([0xff, 0]), "x".repeat(3_000_000)]) {
        const options = { stdin, env: { CNI_COMMAND: command } }
        assert.deepStrictEqual(demo.around(options), demo.alone(options))
      }
    })
  }

  it("of a program that looks at its name", () => {
    using demo = wrapped("/bin/bash")
    const restricted = (folder: string) => Path.join(folder, "rbash")
    Fs.renameSync(demo.own, restricted(demo.places.plugins))
    Fs.renameSync(demo.file, restricted(demo.places.folder))
    const script = "shopt -q restricted_shell && echo restricted by its name"
    const output = ChildProcess.execFileSync(restricted(demo.places.folder), ["-c", script], {
      env: { PATH: path },
      input: "",
      encoding: "utf8"
    })
    assert.strictEqual(output, "restricted by its name\n")
  })

  it("of what it finds around it: variables, arguments, working directory", () => {
    using demo = wrapped("env | grep -v '^_=\\|^CNI_PASSTHROUGH_PARENT=\\|^SHLVL=' | sort; pwd; echo \"$@\"")
    const via = `cd ${demo.path}; "$@"`
    const options = { env: { ODD: "a b\nc", CNI_ARGS: "IgnoreUnknown=1;A=ü" }, args: ["x y", ""], via }
    assert.strictEqual(demo.around(options).stdout.toString(), demo.alone(options).stdout.toString())
  })

  it("of one that nobody gives a stdin to end, for VERSION", async () => {
    using demo = wrapped("echo '{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"1.0.0\"]}'")
    const child = ChildProcess.spawn(demo.file, { env: { PATH: path, CNI_COMMAND: "VERSION" } })
    const [code] = await ended(child)
    child.stdin.destroy()
    assert.strictEqual(code, 0)
  })
})

describe("a stdin that nobody ends, for VERSION", () => {
  const given = { pipe: "cat", socket: undefined }
  for (const [kind, feeder] of Object.entries(given)) {
    it(`comes to the plugin as far as it came by a ${kind}`, async () => {
      using demo = wrapped("head -c 18")
      const options = { env: { PATH: path, CNI_COMMAND: "VERSION" } }
      const child = feeder === undefined
        ? ChildProcess.spawn(demo.file, options)
        : ChildProcess.spawn("/bin/sh", ["-c", `${feeder} | ${demo.file}`], options)
      const end = ended(child)
      let stdout = ""
      child.stdout.on("data", (chunk) => stdout += chunk)
      child.stdin.write(`{"cniVersion":"1"}`)
      await until("the plugin answers", () => stdout !== "")
      child.stdin.destroy()
      await end // its log is written after its answer
      assert.strictEqual(stdout, `{"cniVersion":"1"}`)
    })
  }
})

describe("around a plugin, nothing of ours changes the outcome, and stderr is the plugin's alone:", () => {
  const conditions: { readonly [name: string]: object | string } = {
    "a configuration that is not JSON": "{",
    "a configuration with wrong fields": { hookADD: 3, logTimeout: "soon", redact: 1 },
    "a log in a folder that is a file": { logSinks: [{ type: "file", path: "/etc/passwd/log" }] },
    "a full disk": { logSinks: [{ type: "file", path: "/dev/full", format: "json" }] },
    "a log daemon that does not listen": { logSinks: [{ type: "syslog", address: "tcp://127.0.0.1:1" }] },
    "a hook that fails": { hookADD: ["echo hook; exit 1"], onHookFailure: "fail" }
  }
  for (const [name, fields] of Object.entries(conditions)) {
    it(name, () => {
      using demo = wrapped("cat; echo mine >&2; exit 4", fields)
      assert.deepStrictEqual(demo.around(), demo.alone())
    })
  }

  it("no configuration", () => {
    using demo = wrapped("cat; echo mine >&2; exit 4")
    Fs.rmSync(demo.places.config)
    assert.deepStrictEqual(demo.around(), demo.alone())
  })

  it("a pipe in the place of the configuration", () => {
    using demo = wrapped("cat; echo mine >&2; exit 4")
    Fs.rmSync(demo.places.config)
    ChildProcess.execFileSync("mkfifo", [demo.places.config])
    assert.deepStrictEqual(demo.around({ via: "exec timeout -s KILL 10 \"$@\"" }), demo.alone())
  })

  it("a configuration without an end", () => {
    using demo = wrapped("cat; echo mine >&2; exit 4")
    Fs.truncateSync(demo.places.config, 2 ** 40)
    assert.deepStrictEqual(demo.around(), demo.alone())
  })

  // Node.js itself ends with fewer than these, before our first line.
  it("few descriptors", () => {
    using demo = wrapped("cat; echo mine >&2; exit 4")
    const via = `ulimit -n ${isStandalone ? 16 : 32}; exec "$@"`
    assert.deepStrictEqual(demo.around({ via }), demo.alone())
  })

  it("no PATH, and no folder for temporary files", () => {
    using demo = wrapped("echo mine >&2; exit 4")
    const via = isStandalone ? `unset PATH; exec "$@"` : `export TMPDIR=/none; exec "$@"`
    assert.deepStrictEqual(demo.around({ via }), demo.alone())
  })

  it("but where onLogFailure says fail: the plugin is not started, and code 5 says why", () => {
    using demo = wrapped("touch ${0%/*}/started", { logFile: "/dev/full", logSinks: [], onLogFailure: "fail" })
    const { status, stdout } = demo.around()
    assert.deepStrictEqual([status, JSON.parse(stdout.toString()).code], [1, 5])
    assert.isFalse(Fs.existsSync(Path.join(demo.places.plugins, "started")))
    assert.strictEqual(demo.around({ env: { CNI_COMMAND: "DEL" } }).status, 0)
    assert.isTrue(Fs.existsSync(Path.join(demo.places.plugins, "started")))
  })
})

describe("around a plugin, a signal", () => {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    it(`${signal} reaches it, and its own way to end is ours`, async () => {
      using demo = wrapped(`trap 'echo caught; exit 3' ${signal.slice(3)}; echo ready; while :; do sleep 0.05; done`)
      const child = demo.start()
      const output: Array<string> = []
      child.stdout.on("data", (chunk) => output.push(String(chunk)))
      const end = ended(child)
      await until("the plugin is ready", () => output.join("").includes("ready"))
      child.kill(signal)
      assert.deepStrictEqual(await end, [3, null])
      assert.strictEqual(output.join(""), "ready\ncaught\n")
      assert.deepStrictEqual(demo.records().map(({ event }) => event), ["request", "plugin", "error"])
    })
  }

  it("SIGKILL to us ends it too", async () => {
    using demo = wrapped("echo $$; exec sleep 60")
    const child = demo.start()
    const output: Array<string> = []
    child.stdout.on("data", (chunk) => output.push(String(chunk)))
    await until("the plugin runs", () => output.join("").includes("\n"))
    const pid = Number(output.join(""))
    assert.isTrue(isAlive(pid))
    child.kill("SIGKILL")
    await until(`${pid} has ended`, () => !isAlive(pid))
  })
})

describe("around a plugin, a trace", () => {
  const trace = "00-0af7651916cd43dd8448eb211c80319c"

  it("goes on with our span, whatever bytes other variables have", () => {
    using demo = wrapped("tr '\\0' '\\n' < /proc/$$/environ | grep -a ^TRACE")
    const env = { TRACEPARENT: `${trace}-b7ad6b7169203331-01`, TRACESTATE: "vendor=1" }
    for (const via of [undefined, `CNI_ARGS="$(printf 'A=\\377')" exec "$@"`]) {
      const { stdout } = demo.around({ env, ...(via === undefined ? {} : { via }) })
      const { invocation } = demo.records().findLast(({ event }) => event === "request")
      const lines = stdout.toString().trim().split("\n").sort()
      assert.deepStrictEqual(lines, [`TRACEPARENT=${trace}-${invocation}-01`, "TRACESTATE=vendor=1"])
    }
  })
})

describe("around a plugin, the log", () => {
  it("has the request, the plugin, and its result without loss, and leaves out what is told twice", () => {
    using demo = wrapped("cat; echo note >&2", { hookADD: ["echo hook"] })
    demo.around({ env: { CNI_PASSTHROUGH_PARENT: "0123456789abcdef" } })
    const [request, ran, hook, result] = demo.records()
    assert.deepStrictEqual([request.event, ran.event, hook.event, result.event], [
      "request",
      "plugin",
      "hook",
      "result"
    ])
    assert.strictEqual(new Set([request, ran, hook, result].map(({ invocation }) => invocation)).size, 1)
    assert.deepInclude(request, { label: "demo", parent: "0123456789abcdef", command: "ADD", network: "n" })
    const { durationMs, ...rest } = ran.plugin
    assert.isAbove(durationMs, 0)
    assert.deepStrictEqual(rest, {
      type: "demo",
      file: demo.own,
      exitCode: 0,
      signal: null,
      stderr: "note\n",
      truncated: false
    })
    assert.include(Fs.readFileSync(Path.join(demo.path, "log.jsonl"), "utf8"), `"result":${config}`)
  })

  it("ties what a plugin starts to the run around it", () => {
    using demo = wrapped("if [ \"$INNER\" ]; then echo '{}'; else INNER=1 ${0%/.passthrough/*}/demo; fi")
    demo.around()
    const [outer, inner] = demo.records().filter(({ event }) => event === "request")
    assert.strictEqual(inner.parent, outer.invocation)
  })

  it("has the plugin's own error document, and invents no code where it gave none", () => {
    using refusing = wrapped(`echo '{"code":11,"msg":"no addresses","details":"in 10.1.0.0/24"}'; exit 1`)
    refusing.around()
    assert.deepStrictEqual(refusing.records().at(-1).error, {
      code: 11,
      msg: "no addresses",
      details: "in 10.1.0.0/24"
    })
    using broken = wrapped("echo panic; exit 2")
    broken.around()
    const [, ran, end] = broken.records()
    assert.strictEqual(ran.plugin.stdout, "panic\n")
    assert.deepStrictEqual(end.error, { msg: "exited with status 2, and its stdout is not an error document" })
  })

  it("shows no secrets, and says what is wrong with the configuration", () => {
    using demo = wrapped("cat", { redact: ["password"], hookDEL: 3 })
    demo.around({ stdin: `{"cniVersion":"1.0.0","name":"n","type":"demo","password":"hunter2"}` })
    assert.notInclude(JSON.stringify(demo.records()), "hunter2")
    assert.match(demo.records()[0].warnings[0], /^hookDEL: found 3, expected/)
  })
})

describe("a wrapped plugin whose log shows no secrets", () => {
  it("has nothing of what looks like one in its records, and its own words as they were", () => {
    const says =
      "echo 'curl -u u:hunter2 https://u:hunter2@h' >&2; echo '{\"code\":11,\"msg\":\"token=hunter2 is wrong\"}'; exit 1"
    using demo = wrapped(says, { redact: ["secrets"] })
    const { stderr, stdout } = demo.around()
    assert.match(`${stdout}${stderr}`, /token=hunter2 is wrong.*u:hunter2 https:\/\/u:hunter2@h/s)
    const [, { plugin }, { error }] = demo.records()
    assert.deepStrictEqual(error, { code: 11, msg: "token=[redacted] is wrong" })
    assert.strictEqual(plugin.stderr, "curl -u u:[redacted] https://u:[redacted]@h\n")
  })
})

describe("a plugin that cannot be started", () => {
  it("because there is none is an error document that says where it was looked for", () => {
    using demo = wrapped("exit 0")
    Fs.rmSync(demo.own)
    const { status, stdout } = demo.around()
    const { code, msg } = JSON.parse(stdout.toString())
    assert.deepStrictEqual([status, code, msg], [1, 4, `failed to find plugin "demo" in path [/opt/cni/bin]`])
  })

  it("because it is not a program is an error document that names it", () => {
    using demo = wrapped("exit 0")
    Fs.writeFileSync(demo.own, "echo never\n")
    const { status, stdout } = demo.around()
    const { code, msg } = JSON.parse(stdout.toString())
    assert.deepStrictEqual([status, code, msg], [1, 5, `cannot start ${demo.own}: exec format error`])
  })

  it("because it is being written is tried again", async () => {
    using demo = wrapped("/bin/true")
    Fs.renameSync(demo.own, Path.join(demo.places.plugins, "true"))
    Fs.renameSync(demo.file, Path.join(demo.places.folder, "true"))
    const writing = Fs.openSync(Path.join(demo.places.plugins, "true"), "r+")
    const child = ChildProcess.spawn(Path.join(demo.places.folder, "true"), { env: { PATH: path } })
    child.stdin.end()
    setTimeout(() => Fs.closeSync(writing), 500)
    assert.deepStrictEqual(await ended(child), [0, null])
  })
})

describe("called by the name of another plugin, without a folder of ours, it stands around", () => {
  it("the next one of that name on the CNI path", () => {
    using demo = wrapped("echo found; exit 6")
    const [first, second] = [Path.join(demo.path, "first"), Path.join(demo.path, "second")]
    Fs.mkdirSync(first)
    Fs.mkdirSync(second)
    Fs.copyFileSync(plugin, Path.join(first, "demo"))
    Fs.copyFileSync(demo.own, Path.join(second, "demo"))
    const { status, stdout } = ChildProcess.spawnSync(Path.join(first, "demo"), {
      env: { PATH: path, CNI_COMMAND: "ADD", CNI_PATH: `${first}:${second}` },
      input: config,
      encoding: "utf8"
    })
    assert.deepStrictEqual([status, stdout], [6, "found\n"])
  })
})
