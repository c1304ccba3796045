/** Configurations that somebody made to hang, to flood or to deceive: what is said of them is soon said, and is short. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { doctor } from "../../src/cli/commands/Doctor.ts"
import { validate } from "../../src/cli/commands/Validate.ts"
import * as Checks from "../../src/doctor/Checks.ts"
import * as Attachment from "../../src/doctor/facts/Attachment.ts"
import * as BuiltIn from "../../src/doctor/facts/BuiltIn.ts"
import * as Files from "../../src/doctor/facts/Files.ts"
import * as HostLocalStore from "../../src/doctor/facts/HostLocalStore.ts"
import * as ResultCache from "../../src/runtime/ResultCache.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import { found, ofFile } from "./facts.ts"

const network = (...plugins: ReadonlyArray<object>) => ({ cniVersion: "1.0.0", name: "n", plugins })

/** What `validate` prints of a file with this text. */
const validated = Effect.fnUntraced(function*(text: string, name = "10-n.conflist", ...flags: ReadonlyArray<string>) {
  using folder = temporary()
  const file = `${folder.path}/${name}`
  Fs.writeFileSync(file, text)
  const { stderr, stdout } = yield* Command.printed(validate, file, "--cni-path", "/none", ...flags)
  return (stdout + stderr).replaceAll(folder.path, "")
}, Effect.provide(Command.host))

/** A folder with all that is no configuration, and a configuration at its end. */
const strange = () => {
  const folder = temporary()
  const at = (name: string) => `${folder.path}/${name}.conflist`
  ChildProcess.execFileSync("mkfifo", [at("00-pipe")])
  Fs.symlinkSync(at("00-pipe"), at("01-link-to-pipe"))
  Fs.symlinkSync(at("02-loop"), at("02-loop"))
  Fs.symlinkSync("/dev/zero", at("03-zero"))
  Fs.symlinkSync("nothing", at("04-nothing"))
  Fs.mkdirSync(at("05-folder"))
  Fs.symlinkSync("/proc/kmsg", at("06-kernel"))
  Fs.writeFileSync(at("10-n"), JSON.stringify(network({ type: "bridge" })))
  return { folder, at, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

describe("a file", () => {
  it.effect("that is far too long is not read", () =>
    Effect.gen(function*() {
      const text = JSON.stringify({ ...network({ type: "bridge" }), note: "x".repeat(10_000_000) })
      const said = yield* validated(text)
      assert.include(said, `cannot read /10-n.conflist: found ${text.length} bytes, expected at most 1048576\n`)
    }))

  it.effect("that is a pipe, a device or a loop is not read either", () =>
    Effect.gen(function*() {
      using host = strange()
      for (
        const [name, reason] of [
          ["00-pipe", "found a named pipe, expected a regular file"],
          ["01-link-to-pipe", "found a named pipe, expected a regular file"],
          ["02-loop", "too many symbolic links encountered"],
          ["03-zero", "found a device, expected a regular file"],
          ["06-kernel", "found a file of the kernel, expected a regular file"]
        ] as const
      ) {
        const { message } = yield* Effect.flip(Files.read(host.at(name)))
        assert.strictEqual(message, `cannot read ${host.at(name)}: ${reason}`)
      }
    }).pipe(Effect.provide(Command.host)))

  it.effect("that is far too long does not pass for one that is not there", () =>
    Effect.gen(function*() {
      using folder = temporary()
      Fs.writeFileSync(`${folder.path}/10-n.conflist`, "x".repeat(2_000_000))
      const flags = ["--conf-dir", folder.path, "--cache-dir", folder.path]
      const { status, stdout } = yield* Command.printed(doctor, "n", ...flags, "--json")
      const { findings } = JSON.parse(stdout)
      assert.deepStrictEqual([status, findings[0].check], [2, "everything-seen"])
      assert.include(findings[0].evidence[0], "10-n.conflist: found 2000000 bytes")
    }).pipe(Effect.provide(Command.host)))

  it.effect("of that kind in a folder keeps nobody from the others, and is told", () =>
    Effect.gen(function*() {
      using host = strange()
      const flags = ["--conf-dir", host.folder.path, "--cache-dir", host.folder.path, "--json"]
      const { stdout } = yield* Command.printed(doctor, "n", ...flags)
      const seen = JSON.parse(stdout).findings.find(({ check }: { check: string }) => check === "everything-seen")
      assert.deepStrictEqual(
        seen.evidence.flatMap((line: string) => /\d\d-[\w-]+(?=\.conflist: )/.exec(line) ?? []),
        ["00-pipe", "01-link-to-pipe", "02-loop", "03-zero", "04-nothing", "06-kernel"]
      )
      const files = yield* Files.readFolder(host.folder.path)
      assert.deepStrictEqual(files.map(({ path }) => path), [host.at("10-n")])
    }).pipe(Effect.provide(Command.host)))

  it.effect("has at most some hundred plugins that are looked at", () =>
    Effect.gen(function*() {
      const plugins = Array.from({ length: 40_000 }, (_, index) => ({ type: `p${index}` }))
      const lines = (yield* validated(JSON.stringify(network(...plugins)))).trim().split("\n")
      assert.match(lines[0] ?? "", /plugins: found 40000 plugins, expected at most 500/)
      assert.strictEqual(lines.length, 101)
      assert.match(lines.at(-1) ?? "", /the plugin p99 is not in \/none; and 400 more of this kind$/)
    }))

  it("has as many ranges as it wants, of which those that overlap are told", () => {
    const subnet = (index: number) => ({ subnet: `10.${Math.floor(index / 250)}.${index % 250}.0/24` })
    const ranges = [Array.from({ length: 5000 }, (_, index) => subnet(index)).concat(subnet(7))]
    const ipam = { type: "host-local", ranges }
    assert.deepStrictEqual(found(Checks.configuration, ofFile(network({ type: "macvlan", ipam }))), [
      "error addressing host-local 1:" +
      String(JSON.stringify(network({ type: "macvlan", ipam })).lastIndexOf("{") + 1) +
      " plugins[0].ipam.ranges[0][5000]: the range overlaps with another of its set (10.0.7.1-10.0.7.254)"
    ])
  })

  it.effect("has no characters that a terminal obeys in what is printed of it", () =>
    Effect.gen(function*() {
      const evil = "\u001b[31m\u009b2J\u202e"
      const list = {
        ...network({ type: `x${evil}`, [`mtu${evil}`]: evil, ipam: { type: "host-local", subnet: evil } }),
        name: `n${evil}`,
        cniVersion: evil
      }
      for (const text of [JSON.stringify(list), JSON.stringify(list).replaceAll("\\u001b", "\u001b"), `{ ${evil}`]) {
        for (const flags of [[], ["--json"]]) {
          const said = yield* validated(text, `10-${evil}.conflist`, ...flags)
          assert.notMatch(said, /[\u001b\u009b\u202e]/)
          assert.include(said, "u001b")
        }
      }
    }))
})

/** Names that somebody put into a folder of others: none of them is read but the last, which has this text. */
const plant = (folder: string, name: (of: string) => string, text: string) => {
  const at = (of: string) => `${folder}/${name(of)}`
  ChildProcess.execFileSync("mkfifo", [at("1")])
  Fs.symlinkSync("/dev/zero", at("2"))
  Fs.symlinkSync(at("3"), at("3"))
  Fs.mkdirSync(at("4"))
  Fs.writeFileSync(at("5"), text.padEnd(5_000_000)) // all right, but for its length
  Fs.writeFileSync(at("9"), text)
}

describe("a file that is no file, or far too long,", () => {
  it.effect("is no reservation", () =>
    Effect.gen(function*() {
      using folder = temporary()
      Fs.mkdirSync(`${folder.path}/n`)
      plant(`${folder.path}/n`, (of) => `10.99.0.${of}`, "web\r\neth0")
      const { problem, reservations } = yield* HostLocalStore.read(folder.path, "n")
      assert.deepStrictEqual([problem, reservations], [undefined, [
        { file: `${folder.path}/n/10.99.0.9`, address: "10.99.0.9", containerId: "web", ifname: "eth0" }
      ]])
    }).pipe(Effect.provide(Command.host)))

  it.effect("is no result in libcni's cache", () =>
    Effect.gen(function*() {
      using folder = temporary()
      Fs.mkdirSync(`${folder.path}/results`)
      const list = { ...network({ type: "bridge" }), name: "podman" }
      const web = {
        network: "podman",
        containerId: "web",
        ifname: "eth0",
        netns: "/run/netns/web",
        args: [],
        capabilityArgs: {}
      }
      const text = ResultCache.encode(web, JSON.stringify(list), `{"cniVersion":"1.0.0"}`)
      plant(`${folder.path}/results`, (of) => `podman-${of}-eth0`, text)
      const file = `${folder.path}/results/podman-9-eth0`
      assert.deepStrictEqual((yield* Attachment.list(folder.path)).map((each) => each.file), [file])
      assert.strictEqual((yield* BuiltIn.read(folder.path))?.path, `${file}#config`)
    }).pipe(Effect.provide(Command.host)))
})
