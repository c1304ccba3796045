/** What root remembers of outcomes, in a folder of the test. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as LastOutcomesLive from "../../../src/plugin/live/LastOutcomesLive.ts"
import { temporary } from "../../support/plugin.ts"
import { itAsRoot } from "../../support/requirements.ts"

/** A plugin that `wrap` has wrapped, and the memory of its outcomes. */
const wrapped = () => {
  const root = temporary()
  const [folder, memory] = [`${root.path}/bin`, `${root.path}/memory`]
  Fs.mkdirSync(`${folder}/.passthrough/plugins`, { recursive: true })
  Fs.writeFileSync(`${folder}/demo`, "")
  const of = (name: string) => LastOutcomesLive.make({ name, folder, argv0: name, arguments: [] }, memory)
  const demo = of("demo")
  return {
    folder,
    memory,
    file: () => `${memory}/${Fs.readdirSync(memory)[0]}`,
    isTold: (answer: string, question = "q", from = demo) => Effect.runSync(from.isTold(question, answer)),
    remember: (answer: string, question = "q") => Effect.runSync(demo.remember(question, answer)),
    forget: (question = "q") => Effect.runSync(demo.forget(question)),
    of,
    [Symbol.dispose]: root[Symbol.dispose]
  }
}

describe("an outcome", () => {
  itAsRoot("is known from when it is remembered until it is forgotten", () => {
    using host = wrapped()
    assert.isFalse(host.isTold("well"))
    host.remember("well")
    assert.deepStrictEqual([host.isTold("well"), host.isTold("ill"), host.isTold("well", "other")], [
      true,
      false,
      false
    ])
    host.forget()
    assert.isFalse(host.isTold("well"))
  })

  itAsRoot("is that of one plugin", () => {
    using host = wrapped()
    Fs.linkSync(`${host.folder}/demo`, `${host.folder}/other`)
    host.remember("well")
    assert.isFalse(host.isTold("well", "q", host.of("other")))
  })

  itAsRoot("is kept where only root can read it", () => {
    using host = wrapped()
    host.remember("well")
    const modes = [host.memory, host.file()].map((path) => Fs.statSync(path).mode & 0o777)
    assert.deepStrictEqual(modes, [0o700, 0o600])
    assert.notInclude(Fs.readFileSync(host.file(), "utf8"), "well")
  })

  itAsRoot("counts for an hour, and never if its file is of the future", () => {
    using host = wrapped()
    host.remember("well")
    const age = (seconds: number) => Fs.utimesSync(host.file(), 0, Date.now() / 1000 - seconds)
    age(3500)
    assert.isTrue(host.isTold("well"))
    for (const seconds of [3601, -3700]) {
      age(seconds)
      assert.isFalse(host.isTold("well"))
    }
  })

  itAsRoot("is unknown once the plugin was wrapped again", () => {
    using host = wrapped()
    host.remember("well")
    Fs.writeFileSync(`${host.folder}/new`, "")
    Fs.renameSync(`${host.folder}/new`, `${host.folder}/demo`)
    assert.isFalse(host.isTold("well"))
  })

  itAsRoot("is not remembered of a stub that `wrap` did not make", () => {
    using host = wrapped()
    Fs.rmSync(`${host.folder}/.passthrough`, { recursive: true })
    host.remember("well")
    assert.isFalse(host.isTold("well"))
  })

  itAsRoot("is unknown if another one was remembered at the same time, until one is logged alone", () => {
    using host = wrapped()
    host.remember("well")
    host.remember("ill")
    assert.deepStrictEqual([host.isTold("well"), host.isTold("ill")], [false, false])
    host.remember("ill")
    host.remember("ill")
    assert.isTrue(host.isTold("ill"))
  })

  itAsRoot("shares 4096 files with all others", () => {
    using host = wrapped()
    for (let count = 0; count < 100; count++) host.remember("well", String(count))
    for (const name of Fs.readdirSync(host.memory)) assert.match(name, /^[0-9a-f]{3}$/)
  })
})

describe("nothing is known", () => {
  const changes: { readonly [what: string]: (host: ReturnType<typeof wrapped>) => void } = {
    "in a folder that others may use": ({ memory }) => Fs.chmodSync(memory, 0o755),
    "in a folder of another user": ({ memory }) => Fs.chownSync(memory, 1, 1),
    "from a file of another user": ({ file }) => Fs.chownSync(file(), 1, 1),
    "from a file that others may write": ({ file }) => Fs.chmodSync(file(), 0o666),
    "from a file that was not finished": ({ file }) => Fs.truncateSync(file(), 10),
    "by a symbolic link in the place of the folder": ({ memory }) => {
      Fs.renameSync(memory, `${memory}.old`)
      Fs.symlinkSync(`${memory}.old`, memory)
    },
    "by a symbolic link in the place of a file": ({ file, folder }) => {
      const place = file()
      Fs.renameSync(place, `${folder}/old`)
      Fs.symlinkSync(`${folder}/old`, place)
    }
  }
  for (const [what, change] of Object.entries(changes)) {
    itAsRoot(what, () => {
      using host = wrapped()
      host.remember("well")
      assert.isTrue(host.isTold("well"))
      change(host)
      assert.isFalse(host.isTold("well"))
    })
  }
})
