/** What is found out about the plugins of a configuration. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as PluginFacts from "../../src/doctor/PluginFacts.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"

describe("the facts about plugins", () => {
  it.effect("are their files and versions, each plugin asked once", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const [first, second] = [`${folder.path}/first`, `${folder.path}/second`]
      Fs.mkdirSync(first)
      Fs.mkdirSync(second)
      Scripts.script(`${second}/a`, `echo asked >> ${folder.path}/log; echo '{"supportedVersions":["1.0.0"]}'`)
      Scripts.script(`${first}/b`, "exit 7")
      Scripts.script(`${second}/b`, `echo '{"supportedVersions":["1.0.0"]}'`)
      const facts = yield* PluginFacts.collect(["a", "b", "a", "c"], [first, second], "1.0.0")
      assert.deepStrictEqual([...facts], [
        ["a", { _tag: "Versions", file: `${second}/a`, versions: ["1.0.0"] }],
        ["b", { _tag: "Silent", file: `${first}/b`, reason: "exit status 7" }],
        ["c", { _tag: "Missing", folders: [first, second] }]
      ])
      assert.strictEqual(Fs.readFileSync(`${folder.path}/log`, "utf8"), "asked\n")
    }).pipe(Effect.provide(Command.host)))
})
