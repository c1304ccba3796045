/** Which plugin was probably meant by a name that no folder has. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as NearPlugin from "../../src/cli/NearPlugin.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"

describe("a name that no folder has", () => {
  const asked = (name: string, files: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      using folder = temporary()
      const folders = ["a", "b"].map((each) => `${folder.path}/${each}`)
      for (const each of folders) Fs.mkdirSync(each)
      for (const file of files) Fs.writeFileSync(`${folder.path}/b/${file}`, "")
      const { message } = yield* NearPlugin.notThere(name, [`${folder.path}/none`, ...folders])
      return message.replaceAll(folder.path, "")
    }).pipe(Effect.provide(Command.host))

  it.effect("is told with the folders, and with the plugin of one of them that is near", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* asked("brigde", ["bridge", "vlan"]),
        "brigde is not in /none:/a:/b: did you mean bridge?"
      )
    }))

  it.effect("is told alone where nothing is near but files that are no plugins, and what has that name itself", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* asked("bridge", ["vlan"]), "bridge is not in /none:/a:/b")
      assert.strictEqual(yield* asked("bridge", ["bridge", ".bridge"]), "bridge is not in /none:/a:/b")
    }))

  it.effect("cannot send anything to the terminal, and neither can a name that is near", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* asked("bridge\u001b", ["bridge\u009b"]),
        "bridge\\u001b is not in /none:/a:/b: did you mean bridge\\u009b?"
      )
    }))
})
