/** The built plugin around another plugin that a runtime asks again and again. */
import { assert, describe } from "@effect/vitest"
import * as Fs from "node:fs"
import { itAsRoot } from "../support/requirements.ts"
import { wrapped } from "../support/shim.ts"

const env = { CNI_COMMAND: "STATUS" }

describe("STATUS calls around a plugin", () => {
  itAsRoot("that are alike grow the log by three records, and the plugin answers each", () => {
    using demo = wrapped("echo >> $0.calls; echo quiet >&2")
    const alone = demo.alone({ env })
    for (let count = 0; count < 100; count++) assert.deepStrictEqual(demo.around({ env }), alone)
    assert.deepStrictEqual(demo.records().map(({ event }) => event), ["request", "plugin", "result"])
    assert.strictEqual(Fs.readFileSync(`${demo.own}.calls`, "utf8").length, 101)
  })

  itAsRoot("are logged when the plugin begins to fail, and when it is well again", () => {
    using demo = wrapped(`[ ! -e $0.ill ] || { echo '{"cniVersion":"1.1.0","code":50,"msg":"not ready"}'; exit 1; }`)
    const threeTimes = () => [1, 2, 3].map(() => demo.around({ env }).status)
    assert.deepStrictEqual(threeTimes(), [0, 0, 0])
    Fs.writeFileSync(`${demo.own}.ill`, "")
    assert.deepStrictEqual(threeTimes(), [1, 1, 1])
    Fs.rmSync(`${demo.own}.ill`)
    assert.deepStrictEqual(threeTimes(), [0, 0, 0])
    const well = ["request", "plugin", "result"]
    assert.deepStrictEqual(demo.records().map(({ event }) => event), [...well, "request", "plugin", "error", ...well])
  })
})
