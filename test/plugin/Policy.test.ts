/** What the administrator of a host forbids configurations, with services that touch nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Environment from "../../src/cni/Environment.ts"
import * as Policy from "../../src/plugin/Policy.ts"
import * as Settings from "../../src/plugin/Settings.ts"
import { failure, run } from "../support/pipeline.ts"

const file = "/bin/passthrough.policy.json"

const parse = (document: unknown) => Policy.parse(file, JSON.stringify(document))

const policies = (text: string, links: { readonly [folder: string]: string } = {}): Policy.Policies => ({
  read: Effect.succeed([Policy.parse(file, text)]),
  realFolder: (folder) => links[folder] ?? folder
})

const noHooks = policies(`{"hooks":false}`)

describe("a policy", () => {
  it("forbids what its fields say, and nothing by itself", () => {
    assert.deepStrictEqual(parse({}), { file, hooks: true, logFolders: undefined })
    assert.deepStrictEqual(parse({ hooks: false }), { file, hooks: false, logFolders: undefined })
    assert.deepStrictEqual(parse({ hooks: true, logFolders: ["/a"] }), { file, hooks: true, logFolders: ["/a"] })
  })

  const broken: ReadonlyArray<readonly [document: unknown, problem: string]> = [
    [[], "it is not a JSON object"],
    [null, "it is not a JSON object"],
    [{ hook: false }, `"hook": no such field, expected "hooks" or "logFolders"`],
    [{ hooks: false, Hooks: true }, `"Hooks": no such field, expected "hooks" or "logFolders"`],
    [{ hooks: "false" }, `hooks: found "false", expected a boolean`],
    [{ hooks: null }, "hooks: found null, expected a boolean"],
    [{ logFolders: "/var/log" }, `logFolders: found "/var/log", expected a list of absolute paths of folders`],
    [{ logFolders: ["/a", "b"] }, `logFolders[1]: found "b", expected a list of absolute paths of folders`],
    [{ logFolders: ["/a/../b"] }, `logFolders[0]: found "/a/../b", expected a list of absolute paths of folders`],
    [{ logFolders: ["/a\0"] }, "logFolders[0]: found \"/a\\u0000\", expected a list of absolute paths of folders"],
    [{ logFolders: ["/a", 3] }, "logFolders[1]: found 3, expected a list of absolute paths of folders"]
  ]
  for (const [document, problem] of broken) {
    it(`cannot be used where it is ${JSON.stringify(document)}`, () => {
      assert.deepStrictEqual(parse(document), { file, problem })
    })
  }

  it("cannot be used where it is not JSON", () => {
    assert.deepStrictEqual(Policy.parse(file, "{hooks: false}"), { file, problem: "it is not a JSON object" })
  })
})

const config = { hookADD: ["a"], hookDEL: ["b"], hookGC: ["c"], hookSTATUS: [] }

describe("hooks that a policy forbids", () => {
  for (const command of ["ADD", "CHECK", "STATUS", "VERSION"]) {
    it.effect(`make ${command} fail with code 7 and the names of the fields, and none runs`, () =>
      Effect.gen(function*() {
        const outcome = yield* Effect.provideService(
          run({ command, config: { ...config, prevResult: {} } }),
          Policy.Policies,
          noHooks
        )
        const { code, msg } = failure(outcome)
        assert.deepStrictEqual([outcome.commands, code], [[], 7])
        assert.strictEqual(
          msg,
          "invalid network configuration: " +
            ["hookADD", "hookDEL", "hookGC"]
              .map((name) => `${name}: commands are forbidden by ${file} ("hooks": false)`).join("; ")
        )
        assert.deepStrictEqual(outcome.records.map(({ event }) => event), ["request", "error"])
      }))
  }

  for (const command of ["DEL", "GC"]) {
    it.effect(`do not run on ${command}, which goes on and says so`, () =>
      Effect.gen(function*() {
        const outcome = yield* Effect.provideService(run({ command, config }), Policy.Policies, noHooks)
        assert.deepStrictEqual([outcome.succeeded, outcome.commands], [true, []])
        assert.deepStrictEqual(
          outcome.stderr,
          ["hookADD", "hookDEL", "hookGC"].map((name) =>
            `passthrough: ${name}: commands are forbidden by ${file} ("hooks": false)`
          )
        )
        assert.deepInclude(outcome.records[0], {
          warnings: ["hookADD", "hookDEL", "hookGC"].map((name) =>
            `${name}: commands are forbidden by ${file} ("hooks": false)`
          )
        })
        const free = yield* Effect.provideService(run({ command, config }), Policy.Policies, policies("{}"))
        assert.deepStrictEqual([free.commands.length, free.stderr], [1, []])
      }))
  }

  it.effect("are none where the configuration has none", () =>
    Effect.gen(function*() {
      const { stderr, succeeded } = yield* Effect.provideService(
        run({ command: "ADD", config: { hookADD: [] } }),
        Policy.Policies,
        noHooks
      )
      assert.deepStrictEqual([succeeded, stderr], [true, []])
    }))
})

describe("a policy that cannot be used", () => {
  const broken = policies(`{"hooks":0}`)
  it.effect("makes every ADD fail, also without hooks and logs", () =>
    Effect.gen(function*() {
      const outcome = yield* Effect.provideService(run({ command: "ADD" }), Policy.Policies, broken)
      assert.deepInclude(failure(outcome), {
        code: 7,
        msg: "invalid network configuration: hooks and logs are forbidden because " +
          `${file} cannot be used: hooks: found 0, expected a boolean`
      })
    }))

  it.effect("lets DEL go on, without hooks", () =>
    Effect.gen(function*() {
      const outcome = yield* Effect.provideService(run({ command: "DEL", config }), Policy.Policies, broken)
      assert.deepStrictEqual([outcome.succeeded, outcome.commands], [true, []])
      assert.match(outcome.stderr.join(), /forbidden because .* cannot be used/)
    }))

  it("takes all sinks away", () => {
    const { settings } = Settings.read({ logFile: "/a", logSinks: [{ type: "journald" }] })
    const environment = Environment.make({})
    const applied = Policy.apply(settings, {
      environment,
      found: [Policy.parse(file, "")],
      logFile: "/a",
      policies: broken
    })
    assert.deepStrictEqual([settings.sinks.length, applied.settings.sinks], [2, []])
  })
})

describe("folders of logs that a policy names", () => {
  const links = { "/log/link": "/etc", "/log/back": "/log/deep", "/var/run/log": "/run/log" }
  const applied = (path: string, folders: ReadonlyArray<string> = ["/log", "/var/run/log"]) => {
    const environment = Environment.make({ FOLDER: "/etc", UP: "..", CNI_CONTAINERID: "../../etc/x" })
    const policy = policies(JSON.stringify({ logFolders: folders }), links)
    const found = [Policy.parse(file, JSON.stringify({ logFolders: folders }))]
    const { settings } = Settings.read({ logFile: path, logSinks: [{ type: "file", path }, { type: "journald" }] })
    return Policy.apply(settings, { environment, found, logFile: path, policies: policy })
  }

  for (
    const path of ["/log/a", "/log/deep/a", "/log/back/a", "/log/${CNI_CONTAINERID}", "/run/log/a", "/var/run/log/a"]
  ) {
    it(`may have ${path}`, () => {
      assert.deepStrictEqual(applied(path).forbidden, [])
      assert.lengthOf(applied(path).settings.sinks, 3)
    })
  }

  for (
    const path of [
      "/etc/a",
      "/logs/a",
      "/log",
      "/log/link/a",
      "/log/../etc/a",
      "${FOLDER}/a",
      "/log/$UP/a",
      "log/a",
      ""
    ]
  ) {
    it(`never have ${JSON.stringify(path)}, and other sinks stay`, () => {
      const { forbidden, settings } = applied(path === "" ? "$NONE" : path)
      const place = JSON.stringify(path.replace("${FOLDER}", "/etc").replace("$UP", ".."))
      const reason = `is forbidden by ${file}, which allows logs in /log, /var/run/log ("logFolders")`
      assert.deepStrictEqual(forbidden, [
        `logFile: the file ${place} ${reason}`,
        `logSinks: the file ${place} ${reason}`
      ])
      assert.deepStrictEqual(settings.sinks.map(({ type }) => type), ["journald"])
    })
  }

  it("may be all, or none", () => {
    assert.deepStrictEqual(applied("/etc/a", ["/"]).forbidden, [])
    assert.match(applied("/etc/a", []).forbidden.join(), /which allows logs in no folder/)
  })

  it("never are none at all, nor lead through a broken link", () => {
    const [environment, file] = [Environment.make({}), "/policy"]
    const forbidden = (path: string, realFolder: Policy.Policies["realFolder"]) =>
      Policy.apply(Settings.read({ logFile: path }).settings, {
        environment,
        found: [Policy.parse(file, `{"logFolders":["/"]}`)],
        logFile: path,
        policies: { read: Effect.succeed([]), realFolder }
      }).forbidden.length
    assert.strictEqual(forbidden("$NONE", (folder) => folder), 1)
    assert.strictEqual(forbidden("/log/a", () => undefined), 1)
    assert.strictEqual(forbidden("/log/a", (folder) => folder === "/log" ? undefined : folder), 1)
    assert.strictEqual(forbidden("/log/a", (folder) => folder), 0)
  })

  it("are not asked for by a policy that names none", () => {
    const { settings } = Settings.read({ logFile: "/etc/a" })
    const applied = Policy.apply(settings, {
      environment: Environment.make({}),
      found: [Policy.parse(file, "{}")],
      logFile: "/etc/a",
      policies: policies("{}")
    })
    assert.deepStrictEqual(applied, { settings, forbidden: [] })
  })
})
