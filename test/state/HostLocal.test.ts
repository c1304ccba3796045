/** Who has which address, as host-local keeps it. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as HostLocal from "../../src/state/HostLocal.ts"

/** The facts of a store with these files. */
const factsOf = (files: { readonly [file: string]: string }): ReadonlyArray<string> => {
  const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "passthrough-ipam-"))
  try {
    for (const [file, text] of Object.entries(files)) {
      Fs.mkdirSync(Path.join(folder, Path.dirname(file)), { recursive: true })
      Fs.writeFileSync(Path.join(folder, file), text)
    }
    return [...HostLocal.facts(folder)].sort()
  } finally {
    Fs.rmSync(folder, { recursive: true })
  }
}

describe("the store of host-local", () => {
  it("has the container and the interface of each address, by the network", () => {
    assert.deepStrictEqual(
      factsOf({ "one/10.88.0.2": "id-1\r\neth0", "one/fd00::2": "id-1\r\neth0", "two/10.89.0.2": "id-2\r\nnet1" }),
      ["one 10.88.0.2 id-1 eth0", "one fd00::2 id-1 eth0", "two 10.89.0.2 id-2 net1"]
    )
  })

  it("has no interface where an old host-local wrote it, and nothing where one was killed", () => {
    assert.deepStrictEqual(factsOf({ "one/10.88.0.2": "id-1", "one/10.88.0.3": "" }), [
      "one 10.88.0.2 id-1",
      "one 10.88.0.3"
    ])
  })

  it("has other files, which are left out", () => {
    assert.deepStrictEqual(factsOf({ "one/last_reserved_ip.0": "10.88.0.2", "one/lock": "", "cache": "" }), [])
  })

  it("need not be there", () => {
    assert.deepStrictEqual(HostLocal.facts("/no/such/folder"), [])
  })
})
