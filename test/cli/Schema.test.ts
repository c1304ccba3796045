/** `schema`: what it prints. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { schema } from "../../src/cli/commands/Schema.ts"
import * as Command from "../support/command.ts"

describe("cni-passthrough schema", () => {
  it.effect("describes every field of the plugin", () =>
    Effect.gen(function*() {
      const { status, stdout } = yield* Command.printed(schema)
      const { properties } = JSON.parse(stdout)
      const fields = [
        "logFile",
        "logFormat",
        "logSinks",
        "logTimeout",
        "hookADD",
        "hookNetns",
        "redact",
        "onHookFailure"
      ]
      assert.strictEqual(status, 0)
      assert.strictEqual(stdout, `${JSON.stringify(JSON.parse(stdout), null, 2)}\n`)
      assert.includeMembers(Object.keys(properties), fields)
      assert.deepInclude(properties.logFormat, { enum: ["text", "json"] })
      const { address } = properties.logSinks.items.anyOf[1].properties
      assert.match("tcp://loghost:601", new RegExp(address.pattern, "u"))
    }).pipe(Effect.provide(Command.host)))

  it.effect("describes a network configuration list", () =>
    Effect.gen(function*() {
      const { stdout } = yield* Command.printed(schema, "--list")
      assert.hasAllKeys(JSON.parse(stdout).$defs, ["plugin", "passthrough", "commands"])
    }).pipe(Effect.provide(Command.host)))
})
