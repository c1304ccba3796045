/** What is wrong with plugins as they are on a host, and how that is found out. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Fs from "node:fs"
import * as Check from "../../src/doctor/Check.ts"
import * as Checks from "../../src/doctor/Checks.ts"
import * as Plugins from "../../src/doctor/facts/Plugins.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"
import * as Facts from "./facts.ts"
import * as Fake from "./fake.ts"

const host = { machine: 62, tools: new Map(), files: new Set(), sysctls: new Map() } as never

/** What is found where the plugin bridge is so. */
const found = (fact: Partial<Plugins.PluginFact>, known: ReadonlyArray<string> = [], cniVersion = "1.0.0") =>
  Facts.found(Checks.plugins, {
    ...Facts.ofFile({ cniVersion, name: "n", plugins: [{ type: "bridge" }, { type: "portmap" }] }),
    cniPath: ["/opt/cni/bin"],
    known,
    host,
    plugins: new Map([Facts.plugin("bridge", fact), Facts.plugin("portmap")])
  }).map((line) => line.replace(/ \d+:\d+ plugins\[\d\]\.type:/, ""))

describe("a plugin", () => {
  it("that is right gives no finding", () => {
    assert.deepStrictEqual(found({}), [])
  })

  const file = "/opt/cni/bin/bridge"
  const wrong: { readonly [name: string]: readonly [fact: Partial<Plugins.PluginFact>, message: string] } = {
    "that is missing": [
      { file: undefined, candidates: [] },
      "the plugin bridge is not in /opt/cni/bin: did you mean brigde?"
    ],
    "that is a folder": [
      { file: undefined, candidates: [{ path: file, kind: "folder" }] },
      `${file} is a folder, expected the plugin`
    ],
    "that is a link to nothing": [
      { file: undefined, candidates: [{ path: file, kind: "dangling" }] },
      `${file} is a symbolic link to a file that is not there`
    ],
    "without an execute bit": [
      { isExecutable: false, versions: undefined },
      `${file} has no execute bit: no runtime can start it`
    ],
    "that is empty": [{ format: { _tag: "Other", start: "" }, versions: undefined }, `${file} is empty`],
    "for another processor": [
      { format: { _tag: "Elf", machine: 183, interpreter: undefined } },
      `${file} is for arm64, and this host is x86-64`
    ],
    "whose interpreter is missing": [
      {
        format: { _tag: "Script", interpreter: "/bin/nosh", argument: "" },
        hasInterpreter: false,
        versions: undefined
      },
      `${file} needs /bin/nosh, which is not there`
    ]
  }
  for (const [name, [fact, message]] of Object.entries(wrong)) {
    it(`${name} is one finding, which says so`, () => {
      assert.deepStrictEqual(found(fact, ["brigde"]), [`error plugin-file bridge ${message}`])
    })
  }

  const helps: ReadonlyArray<readonly [known: ReadonlyArray<string>, type: string, meant: string, fix: string]> = [
    [["brigde"], "bridge", ": did you mean brigde?", "write \"type\": \"brigde\", or install bridge"],
    // A name that is only known, of a plugin that is not there, cannot be called instead.
    [
      [],
      "brigde",
      ": did you mean bridge?",
      "install the plugin brigde into one of these folders, or name its folder with --cni-path"
    ],
    [
      ["own-plugin"],
      "something-else",
      "",
      "install the plugin something-else into one of these folders, or name its folder with --cni-path"
    ],
    // That it is known by its name does not make it the one that was meant.
    [
      [],
      "bridge",
      "",
      "install the plugin bridge into one of these folders, or name its folder with --cni-path"
    ]
  ]
  for (const [known, type, meant, fix] of helps) {
    it(`that is missing, ${type}, is to be called otherwise only where another one is there: ${known.join() || "none"}`, () => {
      const facts = {
        ...Facts.ofFile({ cniVersion: "1.0.0", name: "n", plugins: [{ type }] }),
        cniPath: ["/opt/cni/bin"],
        known,
        host,
        plugins: new Map([Facts.plugin(type, { file: undefined, candidates: [] })])
      }
      const [found] = Check.examine(Checks.plugins, facts).findings
      assert.deepInclude(found, { message: `plugins[0].type: the plugin ${type} is not in /opt/cni/bin${meant}` })
      assert.deepStrictEqual(found?.fix, { text: fix, commands: [] })
    })
  }

  it("that does not answer VERSION is named with what it did", () => {
    assert.deepStrictEqual(found({ versions: Result.fail("exit status 3: no") }), [
      `error plugin-version bridge ${file} does not answer VERSION: exit status 3: no`
    ])
  })

  it("that does not speak the version is one finding, however many plugins there are", () => {
    assert.deepStrictEqual(found({}, [], "1.1.0"), [
      `error plugin-version bridge ${file} speaks 0.4.0, 1.0.0, and not 1.1.0`
    ])
  })

  it("is not asked for a version that nobody knows", () => {
    assert.deepStrictEqual(found({}, [], "9.9.9"), [])
  })
})

describe("the facts about plugins", () => {
  it.effect("are their files, what those are made of, and their versions", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const [first, second] = [`${folder.path}/first`, `${folder.path}/second`]
      Fs.mkdirSync(`${first}/d`, { recursive: true })
      Fs.mkdirSync(second)
      Scripts.script(`${second}/a`, `echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}'`)
      Scripts.script(`${first}/b`, "exit 7")
      Scripts.script(`${second}/b`, `echo '{"supportedVersions":["1.0.0"]}'`)
      Scripts.script(`${second}/d`, `echo '{"supportedVersions":["1.0.0"]}'`)
      Fs.writeFileSync(`${first}/e`, "", { mode: 0o644 })
      Fs.symlinkSync("nowhere", `${first}/f`)
      const facts = yield* Plugins.collect(["a", "b", "a", "c", "d", "e", "f"], [first, second], "1.0.0", 5000)
      assert.deepStrictEqual([...facts.keys()], ["a", "b", "c", "d", "e", "f"])
      const of = (type: string) => facts.get(type)
      assert.deepStrictEqual(of("a")?.versions, Result.succeed(["1.0.0"]))
      assert.deepStrictEqual(of("a")?.format, { _tag: "Script", interpreter: "/bin/sh", argument: "" })
      assert.deepStrictEqual([of("b")?.file, of("b")?.versions], [`${first}/b`, Result.fail("exit status 7")])
      assert.deepStrictEqual(of("c")?.candidates, [])
      assert.deepStrictEqual([of("d")?.file, of("d")?.candidates[0]?.kind], [`${second}/d`, "folder"])
      assert.deepStrictEqual([of("e")?.isExecutable, of("e")?.versions], [false, undefined])
      assert.deepStrictEqual(of("f")?.candidates, [{ path: `${first}/f`, kind: "dangling" }])
    }).pipe(Effect.provide(Command.host)))

  it.effect("are not asked for where a shell would take the place of the kernel: of a program for another processor", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const foreign = Buffer.concat([
        Buffer.from("\u007fELF\u0002\u0001\u0001"),
        Buffer.alloc(57),
        Buffer.from("\ntouch ran\n")
      ])
      foreign.writeUInt16LE(243, 18)
      Fs.writeFileSync(`${folder.path}/foreign`, foreign, { mode: 0o755 })
      const fact = (yield* Plugins.collect(["foreign"], [folder.path], "1.0.0", 5000)).get("foreign")
      assert.deepStrictEqual([fact?.isExecutable, fact?.versions], [true, undefined])
    }).pipe(Effect.provide(Command.host)))

  it.live("are there in time, whatever a plugin does", () =>
    Effect.gen(function*() {
      using folder = temporary()
      Scripts.script(`${folder.path}/hang`, "sleep 600")
      Scripts.script(`${folder.path}/fork`, "sleep 600 & sleep 600")
      Scripts.script(`${folder.path}/flood`, "exec yes")
      const facts = yield* Plugins.collect(["hang", "fork", "flood"], [folder.path], "1.0.0", 300)
      for (const fact of facts.values()) {
        assert.deepStrictEqual(fact.versions, Result.fail("it did not end within 0.3 s"))
      }
    }).pipe(Effect.provide(Command.host)))

  it("tell the processor and the interpreter of a program", () => {
    const format = Plugins.formatOf(Fs.readFileSync("/bin/sh").subarray(0, 4096))
    assert.strictEqual(format._tag, "Elf")
    if (format._tag === "Elf") assert.match(format.interpreter ?? "", /^\/lib.*ld/)
  })
})

/** An ELF file of these parts, as far as the kernel reads it to start it. */
const elf = (
  { class: bits = 64, interpreters = ["/lib/ld.so"], isBig = false, machine = 62 }: {
    readonly class?: 32 | 64
    readonly isBig?: boolean
    readonly machine?: number
    readonly interpreters?: ReadonlyArray<string>
  }
): Buffer => {
  const file = Buffer.alloc(1024)
  const is64 = bits === 64
  const u16 = (value: number, at: number) => isBig ? file.writeUInt16BE(value, at) : file.writeUInt16LE(value, at)
  const u32 = (value: number, at: number) => isBig ? file.writeUInt32BE(value, at) : file.writeUInt32LE(value, at)
  const word = (value: number, at: number) => u32(value, is64 && isBig ? at + 4 : at)
  file.write("\u007fELF", "latin1")
  file[4] = is64 ? 2 : 1
  file[5] = isBig ? 2 : 1
  u16(machine, 18)
  const [table, size] = is64 ? [64, 56] : [52, 32]
  word(table, is64 ? 32 : 28)
  u16(size, is64 ? 54 : 42)
  u16(interpreters.length + 1, is64 ? 56 : 44)
  u32(1, table) // PT_LOAD
  interpreters.forEach((interpreter, index) => {
    const at = table + size * (index + 1)
    u32(3, at)
    word(600 + 100 * index, at + (is64 ? 8 : 4))
    word(interpreter.length + 1, at + (is64 ? 32 : 16))
    file.write(`${interpreter}\0`, 600 + 100 * index, "latin1")
  })
  return file
}

describe("the start of a file", () => {
  for (const bits of [32, 64] as const) {
    for (const isBig of [false, true]) {
      it(`of a program of ${bits} bits, ${isBig ? "big" : "little"}-endian, says its processor and its interpreter`, () => {
        assert.deepStrictEqual(Plugins.formatOf(elf({ class: bits, isBig, machine: 183 })), {
          _tag: "Elf",
          machine: 183,
          interpreter: "/lib/ld.so"
        })
      })
    }
  }

  it("says the first interpreter of several, and none where there is none, or an empty one", () => {
    const interpreterOf = (...interpreters: ReadonlyArray<string>) => {
      const format = Plugins.formatOf(elf({ interpreters }))
      return format._tag === "Elf" ? format.interpreter : "no program"
    }
    assert.deepStrictEqual([interpreterOf("/a", "/b"), interpreterOf("/a\0b"), interpreterOf(""), interpreterOf()], [
      "/a",
      "/a",
      undefined,
      undefined
    ])
  })

  it("that is cut off in the middle of a program says what it has", () => {
    const file = elf({})
    assert.deepStrictEqual(Plugins.formatOf(file.subarray(0, 64)), { _tag: "Elf", machine: 62, interpreter: undefined })
    assert.deepStrictEqual(Plugins.formatOf(file.subarray(0, 63))._tag, "Other")
    const wild = Buffer.from(file)
    wild.writeUInt32LE(0xffff_fff0, 32)
    wild.writeUInt16LE(0xffff, 56)
    assert.deepStrictEqual(Plugins.formatOf(wild), { _tag: "Elf", machine: 62, interpreter: undefined })
  })

  it("is read where it stands in a larger buffer", () => {
    const large = Buffer.concat([Buffer.from("#!/bin/no"), elf({ machine: 40 })])
    assert.deepInclude(Plugins.formatOf(large.subarray(9)), { machine: 40 })
  })

  const others: ReadonlyArray<readonly [text: string, format: Plugins.Format]> = [
    ["#!/bin/sh\necho", { _tag: "Script", interpreter: "/bin/sh", argument: "" }],
    ["#!  /usr/bin/env  -S node --x \necho", { _tag: "Script", interpreter: "/usr/bin/env", argument: "-S node --x" }],
    ["#!/bin/sh", { _tag: "Script", interpreter: "/bin/sh", argument: "" }],
    ["#!\n", { _tag: "Script", interpreter: "", argument: "" }],
    ["#", { _tag: "Other", start: "#" }],
    ["", { _tag: "Other", start: "" }],
    ["\u007fELF", { _tag: "Other", start: "\u007fELF" }],
    ["x".repeat(41), { _tag: "Other", start: "x".repeat(40) }],
    [`xELF${"x".repeat(60)}`, { _tag: "Other", start: `xELF${"x".repeat(36)}` }]
  ]
  for (const [text, format] of others) {
    it(`is ${format._tag}: ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.deepStrictEqual(Plugins.formatOf(Buffer.from(text, "latin1")), format)
    })
  }
})

describe("a plugin on the CNI path", () => {
  const collected = Effect.fnUntraced(function*(files: Fake.Files, types: ReadonlyArray<string> = ["a"]) {
    const { commands, layer } = Fake.host({
      files,
      programs: { "": JSON.stringify({ cniVersion: "1.0.0", supportedVersions: ["1.0.0"] }) }
    })
    const facts = yield* Effect.provide(Plugins.collect(types, ["/one", "/two"], "1.0.0", 1000), layer)
    return { facts, a: facts.get("a"), commands }
  })
  const script = "#!/bin/sh\n"
  const sh = { "/bin/sh": "" }

  it.effect("is the first file of its name, and is asked for its versions", () =>
    Effect.gen(function*() {
      const { a, commands } = yield* collected({ ...sh, "/one/a": { type: "Socket" }, "/two/a": script })
      assert.deepStrictEqual(a, {
        type: "a",
        candidates: [{ path: "/one/a", kind: "other" }, { path: "/two/a", kind: "file" }],
        file: "/two/a",
        isExecutable: true,
        format: { _tag: "Script", interpreter: "/bin/sh", argument: "" },
        hasInterpreter: true,
        versions: Result.succeed(["1.0.0"])
      })
      assert.deepStrictEqual(commands, ["/two/a"])
    }))

  it.effect("is none where there is none", () =>
    Effect.gen(function*() {
      const { a, commands } = yield* collected({ "/one/a": { type: "Directory" } })
      assert.deepStrictEqual(a, {
        type: "a",
        candidates: [{ path: "/one/a", kind: "folder" }],
        file: undefined,
        isExecutable: false,
        format: undefined,
        hasInterpreter: true,
        versions: undefined
      })
      assert.deepStrictEqual(commands, [])
    }))

  const silent: ReadonlyArray<readonly [what: string, file: Fake.Files[string], hasInterpreter: boolean]> = [
    ["whose interpreter is not there", "#!/bin/none\n", false],
    ["that is no program", "echo", true],
    ["that is empty", "", true],
    ["for another processor", elf({ machine: 243 }).toString("latin1").replaceAll(/[^\0-\u007f]/g, "x"), false]
  ]
  for (const [what, file, hasInterpreter] of silent) {
    it.effect(`${what} is not asked`, () =>
      Effect.gen(function*() {
        const { a, commands } = yield* collected({ ...sh, "/one/a": file })
        assert.deepStrictEqual([a?.hasInterpreter, a?.versions, commands], [hasInterpreter, undefined, []])
      }))
  }

  it.effect("is looked for only under a name that a file can have", () =>
    Effect.gen(function*() {
      const { facts } = yield* collected({}, ["a", ".", "..", "x/y", "a b", "", "a", "b"])
      assert.deepStrictEqual([...facts.keys()], ["a", "b"])
    }))

  it.effect("is among the names of all files, each once, without hidden ones", () =>
    Effect.gen(function*() {
      const { layer } = Fake.host({ files: { "/one/a": "", "/one/.b": "", "/two/a": "", "/two/c": "" } })
      assert.deepStrictEqual(yield* Effect.provide(Plugins.namesIn(["/one", "/none", "/two"]), layer), ["a", "c"])
    }))
})
