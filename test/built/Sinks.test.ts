/** Logging to real daemons through the built plugin. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Daemons from "../support/daemons.ts"
import { call, isStandalone, plugin, records, temporary } from "../support/plugin.ts"
import { describeWith } from "../support/requirements.ts"
import { until } from "../support/until.ts"

const hostile = `q"q b]b \\ back\nCNI_FORGED=1\n<11>1 - - - - - forged é世 \u0007\u009b31m`

const errorOf = (stdout: string) => JSON.parse(stdout) as { readonly code: number; readonly msg: string }

/** A folder, a file in it that has every record too, and the fields that say so. */
const withFile = (logSinks: ReadonlyArray<object>) => {
  const folder = temporary()
  const log = Path.join(folder.path, "log.jsonl")
  const config = { logFile: log, logFormat: "json", logSinks }
  return { config, log, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

describeWith(["rsyslog", "bsdutils"], "syslog", () => {
  for (const transport of ["local", "rfc5424", "tcp", "udp"] as const) {
    /** A sink that speaks by this transport to a daemon. */
    const sinkFor = (daemon: Daemons.Rsyslog, fields: object = {}) => ({
      type: "syslog",
      address: daemon[transport],
      ...(transport === "rfc5424" ? { protocol: "rfc5424" } : {}),
      ...fields
    })

    it(`gets every record by ${transport}, with tag, facility and severity`, async () => {
      await using daemon = await Daemons.rsyslog()
      const sink = sinkFor(daemon, { facility: "local3", tag: "tap" })
      using file = withFile([sink])
      const hookADD = ["echo fine", "exit 3"]
      const { code, stderr } = await call("ADD", { ...file.config, hookADD, label: "first" })
      assert.deepStrictEqual([code, stderr], [0, ""])

      await until("all have come", () => daemon.messages().length === 4)
      const messages = daemon.messages()
      assert.deepStrictEqual(Daemons.recordsOf(messages), records(file.log))
      assert.deepStrictEqual(messages.map(({ syslogseverity }) => syslogseverity), ["6", "6", "3", "6"])
      for (const message of messages) {
        assert.strictEqual(message.syslogfacility, "19") // local3
        assert.strictEqual(message.programname, "tap")
        if (transport !== "local") {
          assert.match(
            message["structured-data"],
            /^\[cni-passthrough@32473 command="ADD" container="container-1" interface="eth0" network="testing-net" label="first" invocation="[0-9a-f]{16}" sequence="\d"\]$/
          )
        }
      }
      if (transport !== "local") {
        assert.deepStrictEqual(messages.map(({ msgid }) => msgid), ["request", "hook", "hook", "result"])
      }
    })

    for (const size of [100, 20_000, 300_000]) {
      it(`gets a record of ${size} bytes by ${transport} whole, in parts that rsyslog takes`, async () => {
        await using daemon = await Daemons.rsyslog()
        using file = withFile([sinkFor(daemon)])
        const { code } = await call("DEL", { ...file.config, pad: "é世".repeat(size / 5) })
        assert.strictEqual(code, 0)
        const [request, result] = records(file.log)
        await until("all parts have come", () => {
          const [first, ...more] = daemon.messages()
          const announced = /part="1\/(\d+)"/.exec(`${first?.["structured-data"]}${first?.msg}`)?.[1] ?? "1"
          return more.length === Number(announced)
        })
        assert.deepStrictEqual(Daemons.recordsOf(daemon.messages()), [request, result])
      })
    }

    it(`is not led astray by hostile values, by ${transport}`, async () => {
      await using daemon = await Daemons.rsyslog()
      using file = withFile([sinkFor(daemon)])
      await call("ADD", { ...file.config, label: hostile, pad: hostile }, { CNI_ARGS: hostile })
      await until("both have come", () => daemon.messages().length === 2)
      assert.deepStrictEqual(Daemons.recordsOf(daemon.messages()), records(file.log))
      assert.notInclude(daemon.messages().map(({ programname }) => programname), "forged")
    })
  }

  it("is a message of one line where the format is text", async () => {
    await using daemon = await Daemons.rsyslog()
    await call("VERSION", { logSinks: [{ type: "syslog", address: daemon.local, format: "text" }] })
    await until("both have come", () => daemon.messages().length === 2)
    assert.match(daemon.messages()[0]?.msg ?? "", /#012CNI_COMMAND: VERSION#012.*#012No VERSION hook$/)
  })

  for (const transport of ["local", "tcp"] as const) {
    it(`gets every record of 100 runs at once by ${transport}, each exactly once`, async () => {
      await using daemon = await Daemons.rsyslog()
      const config = { logSinks: [{ type: "syslog", address: daemon[transport] }], logTimeout: "60s" }
      const ids = Array.from({ length: 100 }, (_, index) => `container-${index}`)
      const runs = await Promise.all(ids.map((id) => call("ADD", config, { CNI_CONTAINERID: id })))
      assert.deepStrictEqual(runs.filter(({ code }) => code !== 0), [])
      await until("all have come", () => daemon.messages().length >= 200)
      const seen = Daemons.recordsOf(daemon.messages()).map(({ containerId, event }) => `${containerId} ${event}`)
      assert.deepStrictEqual(seen.sort(), ids.flatMap((id) => [`${id} request`, `${id} result`]).sort())
    })

    it(`that is killed between two records fails the request, by ${transport}`, async () => {
      await using daemon = await Daemons.rsyslog()
      const logSinks = [{ type: "syslog", address: daemon[transport] }]
      const { code, stdout } = await call("ADD", { logSinks, hookADD: [`kill -9 ${daemon.pid}; sleep 0.3`] })
      assert.strictEqual(code, 1)
      assert.strictEqual(errorOf(stdout).code, 5)
      assert.include(errorOf(stdout).msg, `syslog ${daemon[transport]}: `)
    })
  }

  it("that is not there fails the request at once, and says where it should be", async () => {
    const { stdout } = await call("ADD", { logSinks: [{ type: "syslog", address: "/nowhere/log" }] })
    assert.match(errorOf(stdout).msg, /^cannot log this request: syslog \/nowhere\/log: .*No such file or directory$/)
  })

  it("that is stopped costs the stated wait, then the request fails and names it", async () => {
    await using daemon = await Daemons.rsyslog()
    using file = withFile([{ type: "syslog", address: daemon.tcp }])
    daemon.signal("SIGSTOP")
    const started = performance.now()
    const { code, stdout } = await call("ADD", { ...file.config, logTimeout: "500ms" })
    assert.isAtLeast(performance.now() - started, 500)
    assert.strictEqual(code, 1)
    assert.deepInclude(errorOf(stdout), { code: 5 })
    assert.include(
      errorOf(stdout).msg,
      `syslog ${daemon.tcp}: no answer in time: the records of a run may wait for 500ms in total ("logTimeout")`
    )
    // The file has everything all the same, the error included.
    assert.deepStrictEqual(records(file.log).map(({ event }) => event), ["request", "error"])
  })

  it("that is stopped costs the wait once for all records, and one line on stderr, where failures are ignored", async () => {
    await using daemon = await Daemons.rsyslog()
    using file = withFile([{ type: "syslog", address: daemon.tcp }])
    daemon.signal("SIGSTOP")
    const policy = { onLogFailure: "ignore", logTimeout: "3s", hookADD: ["echo 1", "echo 2", "echo 3"] }
    const started = performance.now()
    const { code, stderr } = await call("ADD", { ...file.config, ...policy })
    assert.isBelow(performance.now() - started, 3000 * 4)
    assert.strictEqual(code, 0)
    assert.match(stderr, /^passthrough: cannot log this request: syslog tcp:.*\n$/)
    assert.strictEqual(records(file.log).length, 5)
  })

  it("whose local socket is full costs the wait too", async () => {
    await using daemon = await Daemons.rsyslog()
    daemon.signal("SIGSTOP")
    const config = { logSinks: [{ type: "syslog", address: daemon.local }], logTimeout: "300ms" }
    const codes: Array<number | null> = []
    for (let run = 0; run < 12; run++) codes.push((await call("ADD", config)).code)
    assert.deepStrictEqual([codes[0], codes.at(-1)], [0, 1])
  })

  it("needs the program logger for a local socket, and says what to install", async () => {
    using folder = temporary()
    for (const program of isStandalone ? [] : ["node"]) {
      Fs.symlinkSync(process.execPath, Path.join(folder.path, program))
    }
    const config = { logSinks: [{ type: "syslog", address: "/dev/log" }] }
    const { stdout } = await call("ADD", config, { PATH: folder.path })
    assert.match(errorOf(stdout).msg, /syslog \/dev\/log: there is no `logger` on PATH: install util-linux/)
  })
})

describeWith(["systemd", "bsdutils"], "journald", () => {
  const logSinks = [{ type: "journald", identifier: "tap" }]

  it("behind /dev/log gets syslog messages with the name of the program and text that is JSON", async () => {
    await using daemon = await Daemons.journald()
    const sink = { type: "syslog", address: "/run/systemd/journal/dev-log", tag: "tap", facility: "local3" }
    const { code } = await call("ADD", { logSinks: [sink] }, {}, daemon.enter)
    assert.strictEqual(code, 0)
    const entries = daemon.find("SYSLOG_IDENTIFIER=tap")
    assert.deepStrictEqual(entries.map(({ MESSAGE }) => JSON.parse(MESSAGE).event), ["request", "result"])
    assert.deepStrictEqual(entries.map(({ SYSLOG_FACILITY }) => SYSLOG_FACILITY), ["19", "19"])
  })

  it("finds the records of exactly one container by its field", async () => {
    await using daemon = await Daemons.journald()
    using file = withFile(logSinks)
    for (const id of ["one", "two", "one-more"]) {
      const config = { ...file.config, hookADD: ["echo x"], label: "first" }
      const { code, stderr } = await call("ADD", config, { CNI_CONTAINERID: id }, daemon.enter)
      assert.deepStrictEqual([code, stderr], [0, ""])
    }
    const found = daemon.find("CNI_CONTAINERID=one")
    assert.deepStrictEqual(found.map((entry) => entry.CNI_EVENT), ["request", "hook", "result"])
    assert.deepStrictEqual(
      found.map((entry) => JSON.parse(entry.CNI_RECORD)),
      records(file.log).filter(({ containerId }) => containerId === "one")
    )
    assert.strictEqual(daemon.find("CNI_COMMAND=ADD", "CNI_LABEL=first").length, 9)
    assert.strictEqual(daemon.find("SYSLOG_IDENTIFIER=tap", "PRIORITY=6").length, 9)
  })

  it("shows people one line for each record", async () => {
    await using daemon = await Daemons.journald()
    await call("ADD", { logSinks, hookADD: ["exit 3"], label: "first" }, {}, daemon.enter)
    const [request, hook] = daemon.find("CNI_COMMAND=ADD")
    assert.strictEqual(request.MESSAGE, "ADD eth0 of container-1 on testing-net [first]: request")
    assert.match(
      hook.MESSAGE,
      /^ADD eth0 of container-1 on testing-net \[first\]: hook exit 3: exit status 3 \([\d.]+ ms\)$/
    )
    assert.strictEqual(hook.PRIORITY, "3")
  })

  it("takes no field that a value forges", async () => {
    await using daemon = await Daemons.journald()
    using file = withFile(logSinks)
    const config = { ...file.config, label: hostile, hookADD: [`echo '${hostile}'`] }
    await call("ADD", config, { CNI_ARGS: hostile }, daemon.enter)
    assert.deepStrictEqual(daemon.find("CNI_FORGED=1"), [])
    const found = daemon.find("CNI_COMMAND=ADD")
    assert.deepStrictEqual(found.map((entry) => JSON.parse(entry.CNI_RECORD)), records(file.log))
  })

  it("takes a record of 300 KB whole", async () => {
    await using daemon = await Daemons.journald()
    using file = withFile(logSinks)
    await call("ADD", { ...file.config, pad: "é世".repeat(60_000) }, {}, daemon.enter)
    const [request] = daemon.find("CNI_EVENT=request")
    assert.deepStrictEqual(JSON.parse(request.CNI_RECORD), records(file.log)[0])
  })

  it("gets every record of 100 runs at once, each exactly once", async () => {
    await using daemon = await Daemons.journald()
    const ids = Array.from({ length: 100 }, (_, index) => `container-${index}`)
    const config = { logSinks, logTimeout: "60s" }
    const runs = await Promise.all(ids.map((id) => call("ADD", config, { CNI_CONTAINERID: id }, daemon.enter)))
    assert.deepStrictEqual(runs.filter(({ code }) => code !== 0), [])
    const seen = daemon.find("CNI_COMMAND=ADD").map((entry) => `${entry.CNI_CONTAINERID} ${entry.CNI_EVENT}`)
    assert.deepStrictEqual(seen.sort(), ids.flatMap((id) => [`${id} request`, `${id} result`]).sort())
  })

  it("that is not there fails the request, and says what is missing", async () => {
    const hidden = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /run; exec \"$@\"", "sh"]
    const { stdout } = await call("ADD", { logSinks }, {}, hidden)
    assert.deepInclude(errorOf(stdout), {
      code: 5,
      msg: "cannot log this request: journald: there is no /run/systemd/journal/socket: " +
        "does systemd-journald run on this host?"
    })
  })

  it("that is killed between two records fails the request", async () => {
    await using daemon = await Daemons.journald()
    const { stdout } = await call("ADD", { logSinks, hookADD: [`kill -9 ${daemon.pid}; sleep 0.3`] }, {}, daemon.enter)
    assert.match(errorOf(stdout).msg, /^cannot log this request: journald: /)
  })
})

describeWith(["bsdutils"], "stderr", () => {
  it("gets the records in the format that the configuration names", async () => {
    const { stderr, stdout } = await call("ADD", { logSinks: [{ type: "stderr" }, { type: "stderr", format: "json" }] })
    assert.match(stderr, /^CNI_COMMAND: ADD$/m)
    assert.match(stderr, /^\{"time":.*"event":"request"/m)
    assert.strictEqual(stdout, `{"cniVersion":"1.1.0"}`)
  })

  it("that nobody reads costs the stated wait, and no more", async () => {
    const stdin = JSON.stringify({
      cniVersion: "1.1.0",
      name: "testing-net",
      logSinks: [{ type: "stderr", format: "json" }],
      logTimeout: "300ms",
      pad: "x".repeat(200_000)
    })
    // The reader of stderr sleeps until it is killed.
    const script = `exec 3>&1; { "${plugin}" 2>&4 >&3; echo "status $?" >&3; kill $! 2>/dev/null; } 4> >(exec sleep 60)`
    const { stdout } = ChildProcess.spawnSync("bash", ["-c", script], {
      encoding: "utf8",
      input: stdin,
      timeout: 300_000,
      env: {
        PATH: `${Path.dirname(process.execPath)}:/usr/bin:/bin`,
        CNI_COMMAND: "ADD",
        CNI_CONTAINERID: "a",
        CNI_IFNAME: "eth0",
        CNI_NETNS: "/none",
        CNI_PATH: "/opt/cni/bin"
      }
    })
    assert.match(stdout, /"code":5,"msg":"cannot log this request: stderr: no answer in time/)
    assert.match(stdout, /status 1\n$/)
  })
})

/** A network without anybody else in it. */
const alone = ["unshare", "--net", "sh", "-ec", "ip link set lo up; exec \"$@\"", "sh"]

describeWith(["rsyslog", "systemd", "bsdutils", "iproute2"], "several sinks", () => {
  it("that fail are all named, and the others have every record", async () => {
    using file = withFile([
      { type: "syslog", address: "/nowhere/log" },
      { type: "syslog", address: "tcp://127.0.0.1:1" },
      { type: "file", path: "/dev/full" }
    ])
    const { stdout } = await call("ADD", file.config, {}, alone)
    const { msg } = errorOf(stdout)
    assert.match(
      msg,
      /syslog \/nowhere\/log: .*; syslog tcp:\/\/127\.0\.0\.1:1: .*ECONNREFUSED.*; file "\/dev\/full": /
    )
    assert.deepStrictEqual(records(file.log).map(({ event }) => event), ["request", "error"])
  })

  it("that hang do not keep a record from those that do not", async () => {
    await using stopped = await Daemons.rsyslog()
    await using daemon = await Daemons.rsyslog()
    stopped.signal("SIGSTOP")
    const logSinks = [stopped, daemon].map(({ tcp }) => ({ type: "syslog", address: tcp }))
    const { code } = await call("ADD", { logSinks, onLogFailure: "ignore", logTimeout: "500ms" })
    assert.strictEqual(code, 0)
    await until("the request has come", () => daemon.messages().some(({ msgid }) => msgid === "request"))
  })
})

/** Hands stdin over as runtimes do. */
const overPipe = ["/bin/sh", "-c", "cat | \"$0\""]

// How the standalone executable's runtime does that is not to be seen from outside.
if (!isStandalone) {
  describe("a run", () => {
    it("loads no module of Node.js that only a sink or a hook needs which the configuration does not name", async () => {
      using folder = temporary()
      const report = Path.join(folder.path, "report.cjs")
      const loaded = Path.join(folder.path, "loaded")
      Fs.writeFileSync(
        report,
        `process.on("exit", () => require("fs").writeFileSync("${loaded}", process.moduleLoadList.join("\\n")))`
      )
      const modulesOf = async (config: object) => {
        await call("ADD", config, { NODE_OPTIONS: `--require=${report}` }, overPipe)
        return Fs.readFileSync(loaded, "utf8").split("\n").map((line) => line.replace(/^NativeModule /, ""))
      }
      const ours = new Set(["child_process", "net", "dgram"])
      const ofFile = await modulesOf({ logFile: `${folder.path}/log` })
      assert.deepStrictEqual(ofFile.filter((name) => ours.has(name)), [])
      const ofTcp = await modulesOf({ logSinks: [{ type: "syslog", address: "tcp://127.0.0.1:1" }] })
      assert.include(ofTcp, "net")
    })
  })
}
