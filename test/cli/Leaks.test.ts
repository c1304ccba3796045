/** `leaks`, in a folder of configurations, a cache and a store of host-local that are the test's own. */
import { assert, describe, it } from "@effect/vitest"
import * as Cli from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { systemError } from "effect/PlatformError"
import * as TestClock from "effect/testing/TestClock"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { leaks } from "../../src/cli/commands/Leaks.ts"
import * as Presenter from "../../src/cli/Presenter.ts"
import type { Invocation } from "../../src/exec/Execution.ts"
import * as HostTools from "../../src/exec/HostTools.ts"
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import * as Discovery from "../../src/runtime/Discovery.ts"
import { cached } from "../support/cache.ts"
import * as Command from "../support/command.ts"
import { findIp, named } from "../support/hostTools.ts"
import { temporary } from "../support/plugin.ts"
import * as Quiet from "../support/quiet.ts"
import { describeWith, itAsRoot } from "../support/requirements.ts"
import { holds } from "../support/until.ts"

findIp()

/** IDs that no process of the host speaks of: such containers would count as alive. */
const [gone, other] = ["web-gone-5f3a", "web-other-5f3a"] as const

/** A host with these networks of bridge and host-local. */
const setUp = (...networks: ReadonlyArray<string>) => {
  const folder = temporary()
  const [conf, cache, store] = [`${folder.path}/net.d`, `${folder.path}/cache`, `${folder.path}/networks`]
  Fs.mkdirSync(conf)
  for (const name of networks) {
    const ipam = { type: "host-local", dataDir: store, subnet: "10.83.0.0/24" }
    Fs.writeFileSync(
      `${conf}/${name}.conflist`,
      JSON.stringify({ cniVersion: "1.0.0", name, plugins: [{ type: "bridge", ipam }] })
    )
  }
  return {
    path: folder.path,
    conf,
    cache,
    result: (network: string, id: string) => `${cache}/results/${network}-${id}-eth0`,
    reservation: (network: string, address: string) => `${store}/${network}/${address}`,
    attach: (network: string, containerId: string) => cached(cache, { network, containerId, types: ["bridge"] }),
    reserve: (network: string, address: string, containerId: string) => {
      Fs.mkdirSync(`${store}/${network}`, { recursive: true })
      Fs.writeFileSync(`${store}/${network}/${address}`, `${containerId}\r\neth0`)
    },
    leaks: (
      args: ReadonlyArray<string> = [],
      fails?: (argv: Invocation["argv"]) => boolean,
      runtimes: ReadonlyArray<Discovery.Runtime> = []
    ) =>
      Command.printed(leaks, "--conf-dir", conf, "--cache-dir", cache, ...args).pipe(
        Effect.provide(Layer.mergeAll(Command.host, Quiet.layer(fails), Presenter.layer)),
        Effect.provideService(Discovery.Runtimes, Effect.succeed(runtimes))
      ),
    [Symbol.dispose]: () => folder[Symbol.dispose]()
  }
}

/** A container that is gone, of which the result and the address are left. */
const withLeaks = () => {
  const host = setUp("n", "m")
  host.attach("n", gone)
  host.reserve("n", "10.83.0.2", gone)
  const reason = `/run/netns/${gone} does not exist`
  return {
    ...host,
    lines: `reservation  10.83.0.2 in ${host.reservation("n", "10.83.0.2")}  (${gone}: ${reason})
result       eth0 of ${gone} in ${host.result("n", gone)}  (${gone}: ${reason})
`,
    sum: "2 left of containers that are gone: 1 reservation, 1 result",
    json: {
      leaks: [
        { kind: "reservation", text: `10.83.0.2 in ${host.reservation("n", "10.83.0.2")}`, containerId: gone, reason },
        { kind: "result", text: `eth0 of ${gone} in ${host.result("n", gone)}`, containerId: gone, reason }
      ],
      kept: [],
      possible: [],
      recent: [],
      listed: []
    }
  }
}

describeWith([], "cni-passthrough leaks", () => {
  it.effect("says that nothing is left, with exit status 0", () =>
    Effect.gen(function*() {
      using host = setUp("n")
      const nothing = "nothing is left of containers that are gone\n"
      assert.deepStrictEqual(yield* host.leaks(), { status: 0, stdout: nothing, stderr: "" })
      assert.deepStrictEqual(yield* host.leaks(["n", "--fix"]), { status: 0, stdout: nothing, stderr: "" })
      assert.deepStrictEqual(yield* host.leaks(["--json"]), {
        status: 0,
        stdout: `{\n  "leaks": [],\n  "kept": [],\n  "possible": [],\n  "recent": [],\n  "listed": []\n}\n`,
        stderr: ""
      })
    }))

  it.effect("names what is left, whose it was and how that is known, with exit status 1, and leaves it", () =>
    Effect.gen(function*() {
      using host = withLeaks()
      for (const args of [[], ["n"]]) {
        assert.deepStrictEqual(yield* host.leaks(args), {
          status: 1,
          stdout: host.lines,
          stderr: `${host.sum}. --fix removes them\n`
        })
      }
      const json = yield* host.leaks(["--json"])
      assert.strictEqual(json.stdout, `${JSON.stringify(host.json, null, 2)}\n`)
      assert.strictEqual(json.status, 1)
      assert.isTrue(Fs.existsSync(host.result("n", gone)))
    }))

  describe("where a plugin is at work for a container", () => {
    /** A plugin that this process did not start: its parent has ended. */
    const plugin = (containerId: string) => {
      const script = "sleep 600 < /dev/null > /dev/null 2>&1 & echo $!"
      const pid = Number(
        ChildProcess.execFileSync("sh", ["-c", script], { env: { ...process.env, CNI_CONTAINERID: containerId } })
      )
      return { pid, [Symbol.dispose]: () => void process.kill(pid, "SIGKILL") }
    }

    it.live(
      "names what it keeps back and the process, removes nothing of it, and exits with 2",
      () =>
        Effect.gen(function*() {
          using host = withLeaks()
          using sleep = plugin(gone)
          const kept =
            `1 reservation, 1 result of ${gone}: not listed, because process ${sleep.pid} (sleep) is working for it\n`
          for (const args of [[], ["--fix", "--yes"]]) {
            assert.deepStrictEqual(yield* host.leaks(args), {
              status: 2,
              stdout: "nothing else is left of containers that are gone\n",
              stderr: kept
            })
          }
          assert.isTrue(Fs.existsSync(host.result("n", gone)))
          const json = yield* host.leaks(["--json"])
          const process = { pid: sleep.pid, name: "sleep" }
          const reason = `process ${sleep.pid} (sleep) is working for it`
          assert.deepStrictEqual(JSON.parse(json.stdout), {
            leaks: [],
            kept: host.json.leaks.map((leak) => ({ ...leak, reason, process })),
            possible: [],
            recent: [],
            listed: []
          })
          assert.strictEqual(json.status, 2)
        })
    )

    it.live("lists and removes what others have left", () =>
      Effect.gen(function*() {
        using host = withLeaks()
        host.attach("m", other)
        using _ = plugin(other)
        assert.deepStrictEqual(yield* Effect.map(host.leaks(), ({ status, stdout }) => [status, stdout]), [
          1,
          host.lines
        ])
        assert.strictEqual((yield* host.leaks(["--fix", "--yes"])).status, 2)
        assert.isFalse(Fs.existsSync(host.result("n", gone)))
        assert.isTrue(Fs.existsSync(host.result("m", other)))
      }))
  })

  it.effect("looks at the network alone that is named", () =>
    Effect.gen(function*() {
      using host = withLeaks()
      assert.strictEqual((yield* host.leaks(["m"])).status, 0)
      assert.strictEqual((yield* host.leaks([`${host.conf}/n.conflist`])).stdout, host.lines)
    }))

  it.effect("takes it away with --fix --yes, and nothing else", () =>
    Effect.gen(function*() {
      using host = withLeaks()
      host.reserve("m", "10.83.0.3", other)
      assert.deepStrictEqual(yield* host.leaks(["n", "--fix", "--yes"]), {
        status: 0,
        stdout: `${host.lines}removed 2: 1 reservation, 1 result\n`,
        stderr: `${host.sum}\n`
      })
      assert.isFalse(Fs.existsSync(host.result("n", gone)))
      assert.isFalse(Fs.existsSync(host.reservation("n", "10.83.0.2")))
      assert.isTrue(Fs.existsSync(host.reservation("m", "10.83.0.3")))
      assert.strictEqual((yield* host.leaks(["n"])).status, 0)
    }))

  it.effect("takes nothing away without asking, and there is nobody to ask", () =>
    Effect.gen(function*() {
      using host = withLeaks()
      assert.deepStrictEqual(yield* host.leaks(["--fix"]), {
        status: 2,
        stdout: host.lines,
        stderr: `${host.sum}\nerror: cannot ask for confirmation, because stdin is not a terminal: give --yes\n`
      })
      assert.isTrue(Fs.existsSync(host.result("n", gone)))
    }))

  it.effect("takes nothing away for --yes alone", () =>
    Effect.gen(function*() {
      using host = withLeaks()
      assert.strictEqual((yield* host.leaks(["--yes"])).status, 1)
      assert.isTrue(Fs.existsSync(host.result("n", gone)))
    }))

  it.effect("says what it cannot take away, goes on with the rest, and exits with 1", () =>
    Effect.gen(function*() {
      using host = withLeaks()
      const refusing = Layer.effect(
        FileSystem.FileSystem,
        Effect.map(FileSystem.FileSystem, (fs) => ({
          ...fs,
          remove: () => Effect.fail(systemError({ _tag: "PermissionDenied", module: "FileSystem", method: "remove" }))
        }))
      )
      const { status, stderr, stdout } = yield* Command.printed(
        leaks,
        "--conf-dir",
        host.conf,
        "--cache-dir",
        host.cache,
        "--fix",
        "--yes"
      ).pipe(
        Effect.provide(Layer.provideMerge(refusing, Layer.mergeAll(Command.host, Quiet.layer(), Presenter.layer)))
      )
      assert.strictEqual(status, 1)
      assert.match(
        stdout.slice(host.lines.length),
        /^removed (?:nothing; 2 of 2 stay|1: 1 reservation; 1 of 2 stay)\n$/
      )
      assert.match(
        stderr,
        new RegExp(
          `^${host.sum}\\nresult eth0 of ${gone} in \\S+ stays: PermissionDenied: .*\\n(?:reservation .* stays: .*\\n)?$`
        )
      )
      assert.isTrue(Fs.existsSync(host.result("n", gone)))
    }))

  const refused: {
    readonly [name: string]: readonly [
      networks: ReadonlyArray<string>,
      args: ReadonlyArray<string>,
      message: (host: ReturnType<typeof setUp>) => string
    ]
  } = {
    "without a network": [
      [],
      [],
      ({ cache, conf }) => `no networks in ${conf}, and no results in ${cache} that name one: nothing was checked`
    ],
    "for a network that is not there": [["n"], ["x"], ({ conf }) => `no network "x" in ${conf}: it has n`]
  }
  for (const [name, [networks, args, message]] of Object.entries(refused)) {
    it.effect(`has nothing to look at ${name}, with exit status 2`, () =>
      Effect.gen(function*() {
        using host = setUp(...networks)
        assert.deepStrictEqual(yield* host.leaks(args), { status: 2, stdout: "", stderr: `error: ${message(host)}\n` })
      }))
  }

  it.effect("finds nothing gone where it cannot see what lives, with exit status 2", () =>
    Effect.gen(function*() {
      using host = withLeaks()
      const { status, stderr, stdout } = yield* host.leaks(["--fix", "--yes"], () => true)
      const [heading, ...lines] = stdout.split("\n")
      assert.deepStrictEqual([status, heading], [2, "left, or in use by a container that cannot be seen:"])
      assert.deepStrictEqual(lines.map((line) => line.replace(/ .*/, "")), ["reservation", "result", ""])
      assert.match(
        stderr,
        /^error: cannot look into all network namespaces: .*may not.*; this needs root and a view of the processes and mounts of the host.*\n$/
      )
      assert.isTrue(Fs.existsSync(host.result("n", gone)))
    }))

  it.effect("says that rules cannot be read, so that nothing else is left, with exit status 2", () =>
    Effect.gen(function*() {
      using host = setUp("n")
      const find = (name: string) => name.startsWith("iptables") ? "/bin/false" : name
      const refusing = Layer.succeed(HostTools.HostTools, { ...named, find })
      const { status, stderr, stdout } = yield* Effect.provide(host.leaks(), refusing)
      assert.deepStrictEqual([status, stdout], [2, "nothing else is left of containers that are gone\n"])
      assert.match(stderr, /^rules cannot be read, so none are listed: /)
    }))

  itAsRoot(
    "says whose namespace cannot be inspected, and that all in it counts as used",
    () =>
      Effect.runPromise(Effect.gen(function*() {
        using host = withLeaks()
        const process = ChildProcess.spawn("unshare", ["--net", "sleep", "600"], { stdio: "ignore" })
        yield* Effect.promise(() => new Promise((resolve) => process.on("spawn", resolve)))
        const netns = `/proc/${process.pid}/ns/net`
        const own = Fs.readlinkSync("/proc/self/ns/net")
        while (Fs.readlinkSync(netns) === own) yield* Effect.sleep(5)
        host.attach("n", other)
        const file = host.result("n", other)
        Fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(Fs.readFileSync(file, "utf8")), netns }))
        host.reserve("n", "10.83.0.9", other)
        const { status, stderr, stdout } = yield* host.leaks([], (argv) => argv.some((word) => word.includes(netns)))
          .pipe(Effect.ensuring(Effect.sync(() => process.kill("SIGKILL"))))
        assert.deepStrictEqual([status, stdout], [1, host.lines])
        assert.match(
          stderr,
          new RegExp(
            `^the network namespace of ${other} cannot be inspected, so everything in it counts as used: .*may not.*\\n${host.sum}`
          )
        )
      }))
  )
})

/** A runtime of the host, and the program that lists its containers. */
const runtimeOf = (name: string): Discovery.Runtime => ({
  name,
  pluginFolders: ["/opt/cni/bin"],
  source: "its default",
  endpoint: "unix:///run/containerd/containerd.sock",
  confDir: "/etc/cni/net.d",
  configFile: undefined,
  programFolder: undefined,
  version: undefined,
  loaded: undefined
})

/** Programs of the host, of which these are scripts, and crictl is none of them unless it is named. */
const withTools = (scripts: { readonly [name: string]: string }) => {
  const folder = temporary()
  for (const [name, script] of Object.entries(scripts)) {
    Fs.writeFileSync(`${folder.path}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  const { env, find } = HostTools.make(process.env)
  const tools: HostTools.Tools = {
    env,
    find: (name) => name in scripts ? `${folder.path}/${name}` : name === "crictl" ? undefined : find(name)
  }
  return {
    provide: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideService(effect, HostTools.HostTools, tools),
    [Symbol.dispose]: () => folder[Symbol.dispose]()
  }
}

const listing = (...ids: ReadonlyArray<string>) => `echo '${JSON.stringify({ items: ids.map((id) => ({ id })) })}'`

const now = Effect.suspend(() => TestClock.setTime(Date.now()))

describeWith([], "cni-passthrough leaks --older", () => {
  /** Sets when the files of the container were written. */
  const written = (host: ReturnType<typeof setUp>, minutes: number) => {
    const time = new Date(Date.now() - minutes * 60_000)
    for (const file of [host.result("n", gone), host.reservation("n", "10.83.0.2")]) Fs.utimesSync(file, time, time)
  }
  const nothingElse = "nothing else is left for 10m of containers that are gone\n"

  it.effect("leaves out what was written since, and says so", () =>
    Effect.gen(function*() {
      yield* now
      using host = withLeaks()
      assert.deepStrictEqual(yield* host.leaks(["--older", "10m"]), {
        status: 0,
        stdout: nothingElse,
        stderr: "1 reservation, 1 result of containers that are gone, not listed: not known to have been left for 10m\n"
      })
      const { leaks, recent } = JSON.parse((yield* host.leaks(["--older", "10m", "--json"])).stdout)
      assert.deepStrictEqual([leaks, recent], [[], host.json.leaks])
    }))

  it.effect("removes what was written before", () =>
    Effect.gen(function*() {
      yield* now
      using host = withLeaks()
      written(host, 11)
      const { status, stdout } = yield* host.leaks(["--older", "10m", "--fix", "--yes"])
      assert.deepStrictEqual([status, stdout], [0, `${host.lines}removed 2: 1 reservation, 1 result\n`])
    }))

  it.effect("counts from the newest file of the container", () =>
    Effect.gen(function*() {
      yield* now
      using host = withLeaks()
      written(host, 11)
      Fs.utimesSync(host.result("n", gone), new Date(), new Date())
      assert.include((yield* host.leaks(["--older", "10m"])).stderr, "1 reservation, 1 result of containers")
    }))

  const lists = [["containerd", { crictl: listing(other, gone) }], ["podman", { podman: `echo ${gone}` }]] as const
  it.effect.each(lists)("leaves what %s lists, and says so", ([name, scripts]) =>
    Effect.gen(function*() {
      yield* now
      using host = withLeaks()
      using tools = withTools(scripts)
      written(host, 11)
      const leaks = host.leaks(["--older", "10m", "--fix", "--yes"], undefined, [runtimeOf(name)])
      assert.deepStrictEqual(yield* tools.provide(leaks), {
        status: 0,
        stdout: nothingElse,
        stderr: `1 reservation, 1 result: not listed, because ${name} lists the container\n`
      })
    }))

  it.effect("removes what the runtime does not list, and what a containerd without pods cannot list", () =>
    Effect.gen(function*() {
      yield* now
      const without =
        "echo 'rpc error: code = Unimplemented desc = unknown service runtime.v1.RuntimeService' >&2; exit 1"
      for (const crictl of [listing(other), "echo '{}'", without]) {
        using host = withLeaks()
        using tools = withTools({ crictl })
        written(host, 11)
        const leaks = host.leaks(["--older", "10m", "--fix", "--yes"], undefined, [runtimeOf("containerd")])
        assert.strictEqual((yield* tools.provide(leaks)).status, 0)
        assert.isFalse(Fs.existsSync(host.result("n", gone)))
      }
    }))

  it.effect("finds nothing gone where the runtime does not answer, with exit status 2", () =>
    Effect.gen(function*() {
      yield* now
      for (
        const [crictl, reason] of [
          ["echo 'connection refused' >&2; exit 1", "crictl --runtime-endpoint: connection refused"],
          ["echo '[]'", "crictl pods: its output is not a list of pods"]
        ] as const
      ) {
        using host = withLeaks()
        using tools = withTools({ crictl })
        written(host, 11)
        const leaks = host.leaks(["--older", "10m", "--fix", "--yes"], undefined, [runtimeOf("containerd")])
        assert.deepStrictEqual(yield* tools.provide(leaks), {
          status: 2,
          stdout: "",
          stderr: `error: containerd does not list its containers: ${reason}: nothing is known to be gone\n`
        })
        assert.isTrue(Fs.existsSync(host.result("n", gone)))
      }
    }))

  it.effect("says that there is no second witness where the runtime has no CRI, and goes on", () =>
    Effect.gen(function*() {
      yield* now
      using host = withLeaks()
      using tools = withTools({ crictl: "exit 1" })
      written(host, 11)
      const nomad = { ...runtimeOf("Nomad"), endpoint: undefined }
      const { status, stderr } = yield* tools.provide(
        host.leaks(["--older", "10m", "--fix", "--yes"], undefined, [nomad])
      )
      assert.strictEqual(status, 0)
      assert.include(stderr, "there is no way to ask Nomad for its containers: only processes and network namespaces")
    }))

  it.effect("says that there is no second witness without crictl, and goes on", () =>
    Effect.gen(function*() {
      yield* now
      using host = withLeaks()
      using tools = withTools({})
      written(host, 11)
      const { status, stderr } = yield* tools.provide(
        host.leaks(["--older", "10m", "--fix", "--yes"], undefined, [runtimeOf("containerd")])
      )
      assert.strictEqual(status, 0)
      assert.include(stderr, "there is no crictl to ask containerd for its containers")
    }))
})

describeWith([], "cni-passthrough leaks --fix --every", () => {
  /** Runs it on a clock that stands still, and returns what each look printed. */
  const started = Effect.fnUntraced(function*(host: ReturnType<typeof setUp>, ...args: ReadonlyArray<string>) {
    const printed: Array<string> = []
    const console: Console.Console = {
      ...globalThis.console,
      log: (line = "") => void printed.push(line),
      error: (line = "") => void printed.push(line)
    }
    const flags = ["--fix", "--every", "5m", "--older", "10m", "--conf-dir", host.conf, "--cache-dir", host.cache]
    yield* Effect.forkScoped(
      Cli.runWith(leaks, { version: "0" })([...flags, ...args]).pipe(
        Effect.provide(Layer.mergeAll(Command.host, Quiet.layer(), Presenter.layer)),
        Effect.provideService(Discovery.Runtimes, Effect.succeed([])),
        Effect.provideService(Console.Console, console)
      )
    )
    return {
      printed,
      /** Waits for so many lines. */
      lines: (count: number) => holds(() => printed.length >= count)
    }
  })
  const looks = (printed: ReadonlyArray<string>) =>
    printed.map((line) => {
      const { error, recent = [], removed = [] } = JSON.parse(line)
      return error ?? `${recent.length} recent, ${removed.length} removed`
    })

  it.effect("removes what it has found for long enough without a break, and logs each removal", () =>
    Effect.gen(function*() {
      yield* now
      using host = withLeaks()
      const log = `${host.path}/removed.jsonl`
      const { lines, printed } = yield* started(host, "--json", "--log", log)
      for (const count of [1, 2]) {
        yield* lines(count)
        assert.isFalse(Fs.existsSync(log))
        yield* TestClock.adjust("5 minutes")
      }
      yield* lines(3)
      assert.deepStrictEqual(looks(printed), ["2 recent, 0 removed", "2 recent, 0 removed", "0 recent, 2 removed"])
      assert.isFalse(Fs.existsSync(host.result("n", gone)))
      assert.isFalse(Fs.existsSync(host.reservation("n", "10.83.0.2")))
      const records = Fs.readFileSync(log, "utf8").trim().split("\n").map((line) => JsonFormat.read(line))
      assert.deepStrictEqual(
        records.map((record) =>
          record?.event === "removal" ? [record.network, record.containerId, record.removal.kind] : []
        ),
        [["n", gone, "result"], ["n", gone, "reservation"]]
      )
      assert.strictEqual(records[0]?.invocation, records[1]?.invocation)
    }))

  it.effect("counts anew where the container was there in between", () =>
    Effect.gen(function*() {
      yield* now
      using host = withLeaks()
      const { lines, printed } = yield* started(host, "--json")
      yield* lines(1)
      yield* TestClock.adjust("5 minutes")
      yield* lines(2)
      const later = new Date(Date.now() + 60_000)
      for (const file of [host.result("n", gone), host.reservation("n", "10.83.0.2")]) Fs.utimesSync(file, later, later)
      yield* TestClock.adjust("5 minutes")
      yield* lines(3)
      assert.deepStrictEqual(looks(printed).at(-1), "2 recent, 0 removed")
    }))

  it.effect("reports a look that fails, and looks again", () =>
    Effect.gen(function*() {
      yield* now
      using host = withLeaks()
      Fs.renameSync(host.conf, `${host.conf}.away`)
      Fs.renameSync(host.cache, `${host.cache}.away`)
      const { lines, printed } = yield* started(host, "--json")
      yield* lines(1)
      Fs.renameSync(`${host.conf}.away`, host.conf)
      Fs.renameSync(`${host.cache}.away`, host.cache)
      yield* TestClock.adjust("5 minutes")
      yield* lines(2)
      const [first, second] = looks(printed)
      assert.include(first, "nothing was checked")
      assert.strictEqual(second, "2 recent, 0 removed")
    }))

  it.effect("says what waits once, and what was removed", () =>
    Effect.gen(function*() {
      yield* now
      using host = withLeaks()
      const { lines, printed } = yield* started(host, "--log", `${host.path}/removed.jsonl`)
      yield* lines(2)
      yield* TestClock.adjust("5 minutes")
      yield* TestClock.adjust("5 minutes")
      yield* lines(4)
      const removed = host.lines.trim().split("\n").map((line) => `removed ${line}`)
      assert.deepStrictEqual(
        printed.toSorted(),
        [
          "looking every 5m, removing what has been left behind for 10m",
          "waiting until gone for 10m: 1 reservation, 1 result",
          ...removed
        ].toSorted()
      )
    }))

  for (
    const [args, words] of [
      [["--every", "5m", "--older", "10m"], "--every needs --fix: give both"],
      [["--every", "5m", "--fix"], "--every needs --older: give both"],
      [["--log", "/nowhere"], "--log needs --fix: give both"],
      [["--sink", "journald"], "--sink needs --fix: give both"],
      [["--fix", "--log", "/nowhere", "--sink", "journald"], "--log names a file, and --sink journald has none"]
    ] as const
  ) {
    it.effect(`refuses ${args.join(" ")}`, () =>
      Effect.gen(function*() {
        using host = withLeaks()
        const { status, stderr } = yield* host.leaks(args)
        assert.strictEqual(status, 2)
        assert.include(stderr, words)
        assert.isTrue(Fs.existsSync(host.result("n", gone)))
      }))
  }
})
