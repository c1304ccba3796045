/** Configurations that ask for more than the policy beside the plugin allows. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Check from "../../src/doctor/Check.ts"
import * as Checks from "../../src/doctor/Checks.ts"
import * as Collect from "../../src/doctor/Collect.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"
import * as Facts from "./facts.ts"

/** What the checks of plugins say of a tap, with this policy beside the plugin. */
const said = (policy: object | string | undefined, tap: object) =>
  Effect.gen(function*() {
    using folder = temporary()
    Scripts.plugin(`${folder.path}/passthrough`, ["1.0.0"])
    const file = `${folder.path}/passthrough.policy.json`
    if (policy !== undefined) {
      Fs.writeFileSync(file, typeof policy === "string" ? policy : JSON.stringify(policy), { mode: 0o644 })
    }
    const facts = Facts.ofFile({ cniVersion: "1.0.0", name: "n", plugins: [{ type: "passthrough", ...tap }] })
    const known = yield* Collect.withPlugins([facts], [folder.path], 300_000)
    const { findings } = Check.merge(known.map((each) => Check.examine(Checks.plugins, each)))
    return findings.map(({ check, level, message }) => `${level} ${check} ${message.replaceAll(file, "POLICY")}`)
  }).pipe(Effect.provide(Command.host))

const end = ": its requests fail with code 7"

describe("a tap", () => {
  it.live("with a hook is refused where the policy forbids hooks", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* said({ hooks: false }, { hookADD: ["true"] }), [
        `error policy plugins[0].type: hookADD: commands are forbidden by POLICY ("hooks": false)${end}`
      ])
    }))

  it.live("with a log outside of the folders of the policy is refused, whatever container it is for", () =>
    Effect.gen(function*() {
      const policy = { logFolders: ["/var/log/cni"] }
      assert.deepStrictEqual(yield* said(policy, { logFile: "/var/log/cni/${CNI_CONTAINERID}.log" }), [])
      assert.deepStrictEqual(yield* said(policy, { logFile: "/tmp/${CNI_CONTAINERID}.log" }), [
        "error policy plugins[0].type: logFile: the file \"/tmp/container.log\" is forbidden by POLICY, which allows logs " +
        `in /var/log/cni ("logFolders")${end}`
      ])
    }))

  it.live("is refused where the policy cannot be used", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* said("{", {}), [
        "error policy plugins[0].type: hooks and logs are forbidden because POLICY cannot be used: it is not a JSON " +
        `object${end}`
      ])
    }))

  it.live("may do what it likes where there is no policy", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* said(undefined, { hookADD: ["true"], logFile: "/tmp/x" }), [])
    }))
})
