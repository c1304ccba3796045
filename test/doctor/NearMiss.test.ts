/** The name that was probably meant by one that is not known. */
import { assert, describe, it } from "@effect/vitest"
import * as NearMiss from "../../src/doctor/NearMiss.ts"

describe("the nearest name", () => {
  const cases: ReadonlyArray<readonly [written: string, names: ReadonlyArray<string>, meant: string | undefined]> = [
    ["bridge", ["bridge"], "bridge"],
    ["brigde", ["bridge"], "bridge"], // two letters swapped
    ["bride", ["bridge"], "bridge"], // one left out
    ["bridgge", ["bridge"], "bridge"], // one put in
    ["bridxe", ["bridge"], "bridge"], // one changed
    ["brixxe", ["bridge"], "bridge"],
    ["brxxxe", ["bridge"], undefined], // more than a third
    ["abcd", ["abxd"], "abxd"],
    ["abcd", ["axxd"], undefined],
    ["ab", ["xb"], "xb"],
    ["ab", ["xy"], undefined],
    ["ba", ["ab"], "ab"],
    ["acb", ["abc"], "abc"],
    ["abcdefghi", ["abcdefxxx"], "abcdefxxx"],
    ["abcdefghijkl", ["abcdefghxxxx"], undefined], // four, although a third of it are four
    ["host-local", ["hostlocal", "host_local"], "hostlocal"],
    ["Host Local", ["host_local"], "host_local"],
    ["logfile", ["logSinks", "logFile"], "logFile"],
    ["mode", ["node", "mods"], "node"], // the first of equals
    ["modes", ["node", "mode"], "mode"], // the nearest, and not the first
    ["abcdefghijkl", ["abcdefghijklmno"], "abcdefghijklmno"],
    ["a", ["-----a"], undefined], // of a very different length
    ["anything", [], undefined]
  ]
  for (const [written, names, meant] of cases) {
    it(`to ${written} of ${names.join(", ") || "none"} is ${meant ?? "none"}`, () => {
      assert.strictEqual(NearMiss.nearest(written, names), meant)
    })
  }
})
