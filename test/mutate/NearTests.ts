/** Which test files import a source file, directly or through others. */
import * as Fs from "node:fs"
import * as Path from "node:path"

/** Folders whose tests run built files, or are no tests. */
const elsewhere = new Set(["built", "e2e", "standalone", "bench", "demo", "fuzz", "mutate"])

/** The modules of the repository that a file imports. */
const importsOf = (file: string): ReadonlyArray<string> =>
  [...Fs.readFileSync(file, "utf8").matchAll(/(?: from |\bimport\(?\s*)"(\.[^"]+)"/g)]
    .map(([, path = ""]) => Path.join(Path.dirname(file), path))
    .filter((path) => /\.tsx?$/.test(path) && Fs.existsSync(path))

/** All unit tests, by their paths in the repository, and those of `also`. */
export const allTests = (also: ReadonlyArray<string>): ReadonlyArray<string> =>
  Fs.readdirSync("test", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .filter((file) => also.some((folder) => `test/${file}`.startsWith(folder)) || !elsewhere.has(file.split("/")[0]!))
    .map((file) => `test/${file}`)
    .sort()

/** How many imports lie between each test and each module that it needs. */
export const distances = (tests: ReadonlyArray<string>): ReadonlyMap<string, ReadonlyMap<string, number>> => {
  const imports = new Map<string, ReadonlyArray<string>>()
  const cached = (file: string): ReadonlyArray<string> => {
    const known = imports.get(file) ?? importsOf(file)
    imports.set(file, known)
    return known
  }
  return new Map(tests.map((test) => {
    const found = new Map([[test, 0]])
    for (const [file, distance] of found) { // grows on the way
      for (const other of cached(file)) if (!found.has(other)) found.set(other, distance + 1)
    }
    return [test, found]
  }))
}
