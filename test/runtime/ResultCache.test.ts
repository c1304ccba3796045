/** The results of attachments, in libcni's format and place. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import type { Attachment } from "../../src/runtime/Attachments.ts"
import * as CachedResult from "../../src/runtime/CachedResult.ts"
import * as GarbageCollection from "../../src/runtime/GarbageCollection.ts"
import * as ResultCache from "../../src/runtime/ResultCache.ts"
import { denied, reversed } from "../support/files.ts"
import { temporary } from "../support/plugin.ts"

const attachment: Attachment = {
  network: "n",
  containerId: "c1",
  ifname: "eth0",
  netns: "/run/netns/x",
  args: [["A", "1"]],
  capabilityArgs: { ips: ["10.0.0.5/8"] }
}
const result = `{"cniVersion":"1.0.0","big":12345678901234567890}`

describe("a file of the cache", () => {
  it("has the members of libcni", () => {
    assert.deepStrictEqual(JSON.parse(ResultCache.encode(attachment, "{\"name\":\"n\"}", `{"cniVersion":"1.0.0"}`)), {
      kind: "cniCacheV1",
      containerId: "c1",
      config: Buffer.from("{\"name\":\"n\"}").toString("base64"),
      ifName: "eth0",
      networkName: "n",
      netns: "/run/netns/x",
      cniArgs: [["A", "1"]],
      capabilityArgs: { ips: ["10.0.0.5/8"] },
      result: { cniVersion: "1.0.0" }
    })
  })

  it("leaves out what is empty", () => {
    const bare = { ...attachment, netns: "", args: [], capabilityArgs: {} }
    assert.deepStrictEqual(
      Object.keys(JSON.parse(ResultCache.encode(bare, "{}", "{}"))),
      ["kind", "containerId", "config", "ifName", "networkName", "result"]
    )
  })

  it("is read back without loss", () => {
    assert.deepStrictEqual(ResultCache.decode(ResultCache.encode(attachment, "{}", result)), { ...attachment, result })
  })

  it("of libcni before 0.8 is the result alone", () => {
    const { containerId, ifname, network } = attachment
    assert.deepStrictEqual(ResultCache.decode(result, { containerId, ifname, network }), {
      network,
      containerId,
      ifname,
      netns: "",
      args: [],
      capabilityArgs: {},
      result
    })
    assert.isUndefined(ResultCache.decode(result))
  })

  const names = { kind: "cniCacheV1", networkName: "n", containerId: "c1", ifName: "eth0" }

  for (const name of ["networkName", "containerId", "ifName"]) {
    it(`is not one without a text for ${name}`, () => {
      assert.isDefined(ResultCache.decode(JSON.stringify(names)))
      assert.isUndefined(ResultCache.decode(JSON.stringify({ ...names, [name]: 1 })))
    })
  }

  it("has nothing but names where it says nothing else, or what cannot be used", () => {
    const bare = { ...attachment, netns: "", args: [], capabilityArgs: {}, result: undefined }
    for (const more of [{}, { netns: 1, cniArgs: {}, capabilityArgs: [] }]) {
      assert.deepStrictEqual(ResultCache.decode(JSON.stringify({ ...names, ...more })), bare)
    }
  })

  const noPairs = [
    [["A"]],
    [["A", "1", "2"]],
    [["A", 1]],
    [[1, "A"]],
    ["AB"],
    [{ length: 2 }],
    [["A", "1"], "AB"],
    "AB"
  ]
  for (const cniArgs of noPairs) {
    it(`has no arguments where they are no pairs of texts: ${JSON.stringify(cniArgs)}`, () => {
      assert.deepStrictEqual(ResultCache.decode(JSON.stringify({ ...names, cniArgs }))?.args, [])
    })
  }

  it("has the network as it was at the ADD", () => {
    assert.strictEqual(
      ResultCache.configOf(ResultCache.encode(attachment, "{\"name\":\"ä\"}", "{}")),
      "{\"name\":\"ä\"}"
    )
    for (const text of ["x", "null", "{}", `{"config":1}`]) assert.isUndefined(ResultCache.configOf(text), text)
  })

  for (
    const [why, text] of [["text", "x"], ["another kind", `{"kind":"x"}`], ["without names", `{"kind":"cniCacheV1"}`]]
  ) {
    it(`is not one where it is ${why}`, () => assert.isUndefined(ResultCache.decode(text ?? "", attachment)))
  }

  const members = JSON.parse(ResultCache.encode(attachment, "{}", "{}"))

  for (const name of ["containerId", "ifName", "networkName"]) {
    it(`is not one without its ${name}`, () => {
      assert.isUndefined(ResultCache.decode(JSON.stringify({ ...members, [name]: 5 }), attachment))
    })
  }

  it("has no arguments where they are no pairs of texts", () => {
    for (const cniArgs of [5, [["a"]], [["a", "b", "c"]], [["a", 1]], ["ab"], [["a", "b"], "ab"]]) {
      assert.deepStrictEqual(ResultCache.decode(JSON.stringify({ ...members, cniArgs }))?.args, [])
    }
  })

  it("has no namespace and no arguments of capabilities where they are something else", () => {
    const odd = ResultCache.decode(JSON.stringify({ ...members, netns: 5, capabilityArgs: [1] }))
    assert.deepInclude(odd, { netns: "", capabilityArgs: {} })
  })

  it("has its configuration, as it was given", () => {
    assert.strictEqual(ResultCache.configOf(ResultCache.encode(attachment, `{"é": 1}`, "{}")), `{"é": 1}`)
    for (const text of ["{", "null", "{}", `{"config":5}`]) assert.isUndefined(ResultCache.configOf(text))
  })

  it("is where libcni has it", () => {
    assert.strictEqual(ResultCache.defaultFolder, "/var/lib/cni")
  })
})

describe("the cache", () => {
  it.effect("keeps a result in a file for root alone, and forgets it", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const cache = `${folder.path}/var/lib/cni`
      assert.deepStrictEqual(yield* ResultCache.read(cache, attachment), {
        _tag: "Missing",
        file: `${cache}/results/n-c1-eth0`
      })
      yield* ResultCache.write(cache, attachment, "{}", result)
      const file = `${cache}/results/n-c1-eth0`
      assert.strictEqual(Fs.statSync(file).mode & 0o777, 0o600)
      assert.strictEqual(Fs.statSync(`${cache}/results`).mode & 0o777, 0o700)
      assert.deepStrictEqual(yield* ResultCache.read(cache, attachment), {
        _tag: "Cached",
        file,
        attachment: { ...attachment, result }
      })
      yield* ResultCache.remove(cache, attachment)
      assert.isFalse(Fs.existsSync(file))
    }).pipe(Effect.provide(NodeServices.layer)))

  const others: ReadonlyArray<readonly [what: string, fields: Partial<Attachment>]> = [
    ["another network", { network: "n-c1", containerId: "x" }],
    ["another container", { network: "n", containerId: "c1-x" }],
    ["another interface", { network: "n", containerId: "c1", ifname: "x-eth0" }]
  ]
  for (const [what, fields] of others) {
    it.effect(`neither hands out nor forgets a result of ${what} in a file of the same name`, () =>
      Effect.gen(function*() {
        using folder = temporary()
        const own = { ...attachment, network: "n", containerId: "c1-x", ifname: "eth0" }
        const other = { ...own, ...fields }
        const asked = what === "another container" ? { ...own, containerId: "c1", ifname: "x-eth0" } : own
        yield* ResultCache.write(folder.path, other, "{}", result)
        assert.deepStrictEqual(yield* ResultCache.read(folder.path, asked), {
          _tag: "Another",
          file: `${folder.path}/results/n-c1-x-eth0`,
          attachment: { ...other, result } as Attachment
        })
        yield* ResultCache.remove(folder.path, asked)
        assert.strictEqual((yield* ResultCache.read(folder.path, other))._tag, "Cached")
        yield* ResultCache.remove(folder.path, other)
        assert.strictEqual((yield* ResultCache.read(folder.path, other))._tag, "Missing")
      }).pipe(Effect.provide(NodeServices.layer)))
  }

  const differences: ReadonlyArray<Partial<Attachment>> = [
    { network: "other" },
    { containerId: "other" },
    { ifname: "other" }
  ]
  for (const difference of differences) {
    it.effect(`is another's where one name is different: ${Object.keys(difference).join()}`, () =>
      Effect.gen(function*() {
        using folder = temporary()
        yield* ResultCache.write(folder.path, attachment, "{}", result)
        const file = `${folder.path}/results/n-c1-eth0`
        Fs.writeFileSync(file, ResultCache.encode({ ...attachment, ...difference }, "{}", result))
        assert.strictEqual((yield* ResultCache.read(folder.path, attachment))._tag, "Another")
        yield* ResultCache.remove(folder.path, attachment)
        assert.isTrue(Fs.existsSync(file))
      }).pipe(Effect.provide(NodeServices.layer)))
  }

  const unread: ReadonlyArray<readonly [what: string, make: (file: string) => unknown, reason: string]> = [
    [
      "a named pipe",
      (file) => ChildProcess.execFileSync("mkfifo", [file]),
      "found a named pipe, expected a regular file"
    ],
    ["a folder", (file) => Fs.mkdirSync(file), "it is a folder"],
    ["empty", (file) => Fs.writeFileSync(file, ""), "it is not a file of libcni for this attachment"],
    [
      "cut short",
      (file) => Fs.writeFileSync(file, ResultCache.encode(attachment, "{}", result).slice(0, -20)),
      "it is not a file of libcni for this attachment"
    ],
    [
      "far too long",
      (file) => Fs.truncateSync((Fs.writeFileSync(file, ""), file), 5e9),
      "found 5000000000 bytes, expec"
    ]
  ]
  for (const [what, make, reason] of unread) {
    it.effect(`says why a file is not understood that is ${what}, and that it may be of the attachment`, () =>
      Effect.gen(function*() {
        using folder = temporary()
        Fs.mkdirSync(`${folder.path}/results`)
        const file = `${folder.path}/results/n-c1-eth0`
        make(file)
        const found = yield* ResultCache.read(folder.path, attachment)
        assert.deepInclude(found, { _tag: "Unknown", file })
        assert.include("reason" in found ? found.reason : "", reason)
        const [entry] = yield* ResultCache.list(folder.path, "n")
        assert.deepStrictEqual(entry, found as ResultCache.Entry)
      }).pipe(Effect.provide(NodeServices.layer)))
  }

  it.effect("does not say that it has nothing of an attachment whose file may not be read", () =>
    Effect.gen(function*() {
      const fs = FileSystem.layerNoop({ stat: (path) => Effect.fail(denied(path)) })
      const error = yield* Effect.flip(ResultCache.read("/c", attachment)).pipe(
        Effect.provide(Layer.mergeAll(fs, Path.layer))
      )
      assert.match(error.message, /^cannot read the results of attachments in \/c\/results\/n-c1-eth0: /)
    }))

  it.effect("is left as it is where the file of an attachment may not be read", () =>
    Effect.gen(function*() {
      const removed: Array<string> = []
      const fs = FileSystem.layerNoop({
        stat: (path) => Effect.fail(denied(path)),
        remove: (path) => Effect.sync(() => void removed.push(path))
      })
      yield* ResultCache.remove("/c", attachment).pipe(Effect.provide(Layer.mergeAll(fs, Path.layer)))
      assert.deepStrictEqual(removed, [])
    }))

  it.effect("forgets an attachment that it does not have", () =>
    Effect.gen(function*() {
      using folder = temporary()
      yield* ResultCache.remove(folder.path, attachment)
      assert.isFalse(Fs.existsSync(`${folder.path}/results`))
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("takes files of up to four megabytes", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const file = `${folder.path}/file`
      Fs.writeFileSync(file, "x".repeat(4_194_304))
      assert.strictEqual((yield* ResultCache.textOf(file)).length, 4_194_304)
      Fs.appendFileSync(file, "x")
      assert.match((yield* Effect.flip(ResultCache.textOf(file))).reason, /expected at most 4194304$/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("forgets a file that is not understood, too", () =>
    Effect.gen(function*() {
      using folder = temporary()
      Fs.mkdirSync(`${folder.path}/results`)
      const file = `${folder.path}/results/n-c1-eth0`
      ChildProcess.execFileSync("mkfifo", [file])
      yield* ResultCache.remove(folder.path, attachment)
      assert.isFalse(Fs.existsSync(file))
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("cannot be made everywhere, and says so", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(ResultCache.write("/proc/none", attachment, "{}", result))
      assert.match(error.message, /^cannot write \/proc\/none/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("cannot be read where its folder is a file, and says so", () =>
    Effect.gen(function*() {
      using folder = temporary()
      Fs.writeFileSync(`${folder.path}/results`, "")
      const error = yield* Effect.flip(ResultCache.list(folder.path, "n"))
      assert.match(error.message, /^cannot read the results of attachments in .*\/results: not a directory/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("lists the attachments of a network, and files that may be some", () =>
    Effect.gen(function*() {
      using folder = temporary()
      yield* ResultCache.write(folder.path, attachment, "{}", result)
      yield* ResultCache.write(folder.path, { ...attachment, network: "n-m" }, "{}", result)
      Fs.writeFileSync(`${folder.path}/results/n-c2-eth0`, "{")
      for (const name of ["nn-c2-eth0", "other-c2-eth0"]) Fs.writeFileSync(`${folder.path}/results/${name}`, "{")
      yield* ResultCache.write(folder.path, { ...attachment, network: "a" }, "{}", result)
      const entries = yield* ResultCache.list(folder.path, "n")
      assert.deepStrictEqual(entries.map(({ _tag, file }) => [_tag, file.split("/").at(-1)]), [
        ["Cached", "n-c1-eth0"],
        ["Unknown", "n-c2-eth0"],
        ["Another", "n-m-c1-eth0"]
      ])
      assert.deepInclude(entries[1], { reason: "it is not a file of libcni for this attachment" })
    }).pipe(Effect.provide(reversed)))

  it.effect("lists files in the order of their names, without those that are being written", () =>
    Effect.gen(function*() {
      using folder = temporary()
      for (const containerId of ["c2", "c3", "c1"]) {
        yield* ResultCache.write(folder.path, { ...attachment, containerId }, "{}", result)
      }
      Fs.copyFileSync(`${folder.path}/results/n-c1-eth0`, `${folder.path}/results/.n-c1-eth0`)
      const entries = yield* ResultCache.list(folder.path, "n")
      assert.deepStrictEqual(
        entries.map(({ file }) => file.split("/").at(-1)),
        ["n-c1-eth0", "n-c2-eth0", "n-c3-eth0"]
      )
      const hidden = yield* ResultCache.list(folder.path, ".n")
      assert.deepStrictEqual(hidden, [])
    }).pipe(Effect.provide(reversed)))

  it.effect("tells which of its files no runtime can read, by their names, and why", () =>
    Effect.gen(function*() {
      using folder = temporary()
      yield* ResultCache.write(folder.path, attachment, "{}", result)
      const results = `${folder.path}/results`
      const texts = {
        "n-c6-eth0": "[]",
        "n-c5-eth0": "{",
        "n-c4-eth0": " \n",
        "n-c3-eth0": result,
        ".n-c2-eth0.1.new": ""
      }
      for (const [name, text] of Object.entries(texts)) Fs.writeFileSync(`${results}/${name}`, text)
      Fs.mkdirSync(`${results}/n-c7-eth0`)
      assert.deepStrictEqual(yield* ResultCache.damaged(folder.path), [
        { file: `${results}/n-c4-eth0`, reason: "it is empty" },
        { file: `${results}/n-c5-eth0`, reason: "it is not a JSON document, or is truncated" },
        { file: `${results}/n-c6-eth0`, reason: "it is not a JSON document, or is truncated" }
      ])
    }).pipe(Effect.provide(reversed)))

  it("is where libcni has it", () => assert.strictEqual(ResultCache.defaultFolder, "/var/lib/cni"))
})

describe("the result for the operations after an ADD", () => {
  it("is in the version that the network has now", () => {
    const old = { ...attachment, result: `{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.5/8"}}` }
    assert.deepStrictEqual(
      CachedResult.of({ _tag: "Cached", file: "/f", attachment: old }, { cniVersion: "1.0.0" }).pipe((outcome) =>
        JSON.parse(String(
          outcome._tag === "Success" ? outcome.success : ""
        ))
      ),
      { cniVersion: "1.0.0", ips: [{ address: "10.0.0.5/8" }] }
    )
  })

  it("is not known where there is none, and cannot be used where it is broken", () => {
    const none = [
      { _tag: "Missing", file: "/f" },
      { _tag: "Cached", file: "/f", attachment: { ...attachment, result: undefined } }
    ] as const
    for (const found of none) {
      assert.deepInclude(CachedResult.of(found, { cniVersion: "1.0.0" }), { _tag: "Success", success: undefined })
    }
    const broken = { ...attachment, result: `{"ips":1,"cniVersion":"1.0.0"}` }
    assert.deepInclude(CachedResult.of({ _tag: "Cached", file: "/f", attachment: broken }, { cniVersion: "0.4.0" }), {
      _tag: "Failure",
      failure: "the result of ADD cannot be used in version 0.4.0: ips: found 1, expected a list of addresses"
    })
  })

  it("is not what a file has that cannot be read, or that is another attachment's", () => {
    assert.deepInclude(CachedResult.of({ _tag: "Unknown", file: "/f", reason: "why" }, { cniVersion: "1.0.0" }), {
      _tag: "Failure",
      failure: "/f cannot be used: why"
    })
    assert.deepInclude(CachedResult.of({ _tag: "Another", file: "/f", attachment }, { cniVersion: "1.0.0" }), {
      _tag: "Failure",
      failure: "/f belongs to eth0 of c1 on n"
    })
  })
})

describe("an attachment is", () => {
  const decided = (fields: Partial<Attachment>) =>
    GarbageCollection.decideAll([{ _tag: "Cached", file: "/r/f", attachment: { ...attachment, ...fields, result } }])
      .pipe(Effect.map(([decision]) => decision), Effect.provide(NodeServices.layer))

  it.effect("gone where its namespace was there and is not any more", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* decided({ netns: "/run/netns/no-such" }), {
        isGone: true,
        reason: "/run/netns/no-such does not exist"
      })
    }))

  const alive: ReadonlyArray<readonly [why: string, fields: Partial<Attachment>, reason: RegExp]> = [
    ["whose namespace is there", { netns: "/proc/self/ns/net" }, /^\/proc\/self\/ns\/net is there$/],
    ["whose namespace the cache does not have", { netns: "" }, /the cache does not have its network namespace/],
    ["whose namespace is a relative path", { netns: "x" }, /x is not an absolute path/],
    ["whose namespace cannot be looked for", { netns: "/proc/self/stat/x" }, /./],
    ["whose names no runtime takes", { containerId: "../x", netns: "/none" }, /container ID: found "\.\.\/x"/]
  ]
  for (const [why, fields, reason] of alive) {
    it.effect(`alive ${why}`, () =>
      Effect.gen(function*() {
        const decision = yield* decided(fields)
        assert.isFalse(decision?.isGone)
        assert.match(decision?.reason ?? "", reason)
      }))
  }

  it.effect("valid for plugins where it is alive, and where a file may be of it", () =>
    Effect.gen(function*() {
      const entries: ReadonlyArray<ResultCache.Entry> = [
        { _tag: "Cached", file: "/r/n-c1-eth0", attachment: { ...attachment, netns: "", result } },
        {
          _tag: "Cached",
          file: "/r/n-c2-eth0",
          attachment: { ...attachment, containerId: "c2", netns: "/none", result }
        },
        { _tag: "Unknown", file: "/r/n-a-b-eth0", reason: "broken" },
        { _tag: "Another", file: "/r/n-m-c3-eth0", attachment: { ...attachment, network: "n-m", containerId: "c3" } }
      ]
      const decisions = yield* GarbageCollection.decideAll(entries)
      assert.deepStrictEqual(decisions.map(({ file, isGone }) => [file, isGone]), [
        ["/r/n-c1-eth0", false],
        ["/r/n-c2-eth0", true],
        ["/r/n-a-b-eth0", false]
      ])
      assert.deepInclude(decisions[2], { attachment: undefined, reason: "broken" })
      assert.deepStrictEqual(GarbageCollection.valid("n", entries, (file) => file === "/r/n-c2-eth0"), [
        { containerID: "c1", ifname: "eth0" },
        { containerID: "a", ifname: "b-eth0" },
        { containerID: "a-b", ifname: "eth0" },
        { containerID: "m", ifname: "c3-eth0" },
        { containerID: "m-c3", ifname: "eth0" }
      ])
    }).pipe(Effect.provide(NodeServices.layer)))
})
