/** What a plugin is asked before it is wrapped. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as StubProof from "../../src/wrap/StubProof.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"

describe("a plugin and its stub", () => {
  it.effect("are asked for VERSION, whatever verb, container and folders the environment has", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const names = ["CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]
      for (const name of names) vi.stubEnv(name, name === "CNI_COMMAND" ? "DEL" : "living")
      const expected = "VERSION dummy dummy dummy dummy {\"cniVersion\":\"1.0.0\"}"
      const line = `${names.map((name) => `$${name}`).join(" ")} $(cat)`
      const plugin = Scripts.script(`${folder.path}/plugin`, `echo "${line}"`)
      const same = Scripts.script(`${folder.path}/same`, `echo '${expected}'`)
      yield* StubProof.compare(plugin, same).pipe(Effect.ensuring(Effect.sync(() => vi.unstubAllEnvs())))
      const other = Scripts.script(`${folder.path}/other`, `echo '${expected} '`)
      assert.match(
        (yield* Effect.flip(StubProof.compare(plugin, other))).reason,
        /^its stub answers VERSION otherwise: /
      )
    }).pipe(Effect.provide(Command.host)))

  it.effect("are compared by how they end and by what they print, of which two hundred characters are shown", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const plugin = Scripts.script(`${folder.path}/plugin`, `printf '%0300d' 0`)
      const killed = Scripts.script(`${folder.path}/killed`, "kill -KILL $$")
      const failing = Scripts.script(`${folder.path}/failing`, "echo why >&2; exit 3")
      const reason = (stub: string) => Effect.map(Effect.flip(StubProof.compare(plugin, stub)), (error) => error.reason)
      const expected = `expected exit status 0, ${"0".repeat(200)}`
      assert.strictEqual(
        yield* reason(killed),
        `its stub answers VERSION otherwise: found killed by SIGKILL; ${expected}`
      )
      assert.strictEqual(
        yield* reason(failing),
        `its stub answers VERSION otherwise: found exit status 3, why; ${expected}`
      )
    }).pipe(Effect.provide(Command.host)))
})
