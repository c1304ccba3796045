/** Every invocation that real runtimes made, once more. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as JsonText from "../../src/json/JsonText.ts"
import { records, run, temporary } from "../support/plugin.ts"

interface Capture {
  readonly runtime: string
  readonly env: { readonly [name: string]: string }
  readonly stdin: string
}

const folder = Path.join(import.meta.dirname, "../fixtures/captures")

/** The document with our log in place of the one that the capture names, and nothing else changed. */
const loggedTo = (stdin: string, file: string): string => {
  const { hookADD: _add, hookDEL: _del, logFile: _log, ...config } = JSON.parse(stdin)
  const prevResult = JsonText.member(stdin, "prevResult")
  const text = JSON.stringify({ ...config, prevResult: undefined, logFile: file, logFormat: "json" })
  return prevResult === undefined ? text : `${text.slice(0, -1)},"prevResult":${prevResult}}`
}

describe("an invocation of", () => {
  for (const name of Fs.readdirSync(folder).sort()) {
    const capture: Capture = JSON.parse(Fs.readFileSync(Path.join(folder, name), "utf8"))

    it(`${capture.runtime} gets the answer of a plugin that changes nothing: ${name}`, async () => {
      using log = temporary()
      const file = Path.join(log.path, "log.jsonl")
      const stdin = loggedTo(capture.stdin, file)
      const { cniVersion } = JSON.parse(stdin)
      const { code, stderr, stdout } = await run({ env: capture.env, stdin })

      const expected: { readonly [command: string]: string } = {
        ADD: JsonText.member(stdin, "prevResult") ?? `{"cniVersion":"${cniVersion}"}`,
        VERSION:
          `{"cniVersion":"${cniVersion}","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}`
      }
      assert.deepStrictEqual({ code, stderr, stdout }, {
        code: 0,
        stderr: "",
        stdout: expected[capture.env["CNI_COMMAND"] ?? ""] ?? ""
      })
      assert.deepStrictEqual(records(file).map(({ event }) => event), ["request", "result"])
      assert.deepStrictEqual(records(file)[0].config, JSON.parse(stdin))
    })
  }
})
