/** `leaks`, in a folder of configurations, a cache and a store of host-local that are the test's own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { systemError } from "effect/PlatformError"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { leaks } from "../../src/cli/commands/Leaks.ts"
import * as Presenter from "../../src/cli/Presenter.ts"
import type { Invocation } from "../../src/exec/Execution.ts"
import * as HostTools from "../../src/exec/HostTools.ts"
import { cached } from "../support/cache.ts"
import * as Command from "../support/command.ts"
import { named } from "../support/hostTools.ts"
import { temporary } from "../support/plugin.ts"
import * as Quiet from "../support/quiet.ts"
import { itAsRoot } from "../support/requirements.ts"

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
    leaks: (args: ReadonlyArray<string> = [], fails?: (argv: Invocation["argv"]) => boolean) =>
      Command.printed(leaks, "--conf-dir", conf, "--cache-dir", cache, ...args).pipe(
        Effect.provide(Layer.mergeAll(Command.host, Quiet.layer(fails), Presenter.layer))
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
      possible: []
    }
  }
}

describe("cni-passthrough leaks", () => {
  it.effect("says that nothing is left, with exit status 0", () =>
    Effect.gen(function*() {
      using host = setUp("n")
      const nothing = "nothing is left of containers that are gone\n"
      assert.deepStrictEqual(yield* host.leaks(), { status: 0, stdout: nothing, stderr: "" })
      assert.deepStrictEqual(yield* host.leaks(["n", "--fix"]), { status: 0, stdout: nothing, stderr: "" })
      assert.deepStrictEqual(yield* host.leaks(["--json"]), {
        status: 0,
        stdout: `{\n  "leaks": [],\n  "kept": [],\n  "possible": []\n}\n`,
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
            `1 reservation, 1 result of ${gone}: not listed, because process ${sleep.pid} (sleep) is at work for it\n`
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
          const reason = `process ${sleep.pid} (sleep) is at work for it`
          assert.deepStrictEqual(JSON.parse(json.stdout), {
            leaks: [],
            kept: host.json.leaks.map((leak) => ({ ...leak, reason, process })),
            possible: []
          })
          assert.strictEqual(json.status, 2)
        }),
      120_000 // it looks at the host many times, which takes long on a busy machine
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
        stderr: `${host.sum}\nerror: stdin is not a terminal, so that nobody can be asked: give --yes\n`
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
      ({ cache, conf }) => `no networks in ${conf}, and none of a result in ${cache}: looked at nothing`
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
        /^error: not all network namespaces can be looked into: .*may not.*; this needs root, and to see the processes and mounts of the host.*\n$/
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
      assert.match(stderr, /^rules cannot be read, so that none is listed: /)
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
