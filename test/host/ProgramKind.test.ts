/** How the kernel would run a file. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as ProgramKind from "../../src/host/ProgramKind.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"

const files: { readonly [name: string]: readonly [content: string, expected: ProgramKind.ProgramKind] } = {
  "is a program where it has the first bytes of one": ["\x7fELF\x02\x01", { kind: "program" }],
  "is a script of the interpreter in its first line": ["#!/bin/sh\n", { kind: "script", interpreter: "/bin/sh" }],
  "is a script also where white space stands before the interpreter, and an argument after it": [
    "#! \t/usr/bin/env node\n",
    { kind: "script", interpreter: "/usr/bin/env" }
  ],
  "is a script without an interpreter where that is no path": ["#!sh\n/bin/sh", {
    kind: "script",
    interpreter: undefined
  }],
  "is read as far as the kernel reads it, which is 256 bytes": [
    `#!/${"a".repeat(300)}`,
    { kind: "script", interpreter: `/${"a".repeat(253)}` }
  ],
  "is neither where it is a text": ["text\n#!/bin/sh", { kind: "other" }],
  "is neither where the first bytes of a program stand later": [" \x7fELF", { kind: "other" }],
  "is neither where it is empty": ["", { kind: "other" }]
}

describe("a file", () => {
  for (const [name, [content, expected]] of Object.entries(files)) {
    it.effect(name, () =>
      Effect.gen(function*() {
        using folder = temporary()
        Fs.writeFileSync(`${folder.path}/file`, content, "latin1")
        assert.deepStrictEqual(yield* ProgramKind.of(`${folder.path}/file`), expected)
      }).pipe(Effect.provide(Command.host)))
  }
})
