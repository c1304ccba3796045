/** Tools of the host, for fake runners of programs. */
import { afterAll, beforeAll } from "@effect/vitest"
import type { Tools } from "../../src/exec/HostTools.ts"
import { temporary } from "./plugin.ts"
import * as Scripts from "./scripts.ts"

/** Tools that are called by their names, and not looked for. */
export const named: Tools = { find: (name) => name, env: {} }

/** Lets the tests of a file find an `ip`, also on a host without iproute2. Their runners of programs answer for it. */
export const findIp = (): void => {
  const { PATH = "" } = process.env
  const folder = temporary()
  beforeAll(() => {
    Scripts.script(`${folder.path}/ip`, "exit 1")
    process.env["PATH"] = `${PATH}:${folder.path}`
  })
  afterAll(() => {
    process.env["PATH"] = PATH
    folder[Symbol.dispose]()
  })
}
