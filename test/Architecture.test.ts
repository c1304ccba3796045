/** Who may know whom: the floors of `src/`, as docs/development.md draws them. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { repository } from "./support/plugin.ts"

const src = Path.join(repository, "src")

/** The rooms, each with those below it that it may know. */
const rooms: { readonly [room: string]: ReadonlyArray<string> } = {
  json: [],
  cni: ["json"],
  exec: ["json", "cni"],
  record: ["json", "cni", "exec"],
  network: ["json", "cni", "exec", "record"],
  sinks: ["json", "cni", "exec", "record"],
  plugin: ["json", "cni", "exec", "record", "sinks", "network"],
  host: ["json", "cni", "exec"],
  conf: ["json", "cni", "host"],
  wrap: ["json", "cni", "exec", "host", "conf"],
  runtime: ["json", "cni", "exec", "record", "network", "host", "conf", "wrap"],
  log: ["json", "cni", "exec", "record"],
  operations: ["json", "cni", "exec", "record", "network"],
  export: ["json", "cni", "exec", "record", "sinks", "operations"],
  render: ["json", "record", "log", "operations"],
  page: ["json", "record", "operations", "render"],
  doctor: [
    "json",
    "cni",
    "exec",
    "record",
    "network",
    "plugin",
    "host",
    "conf",
    "wrap",
    "runtime",
    "log",
    "operations"
  ],
  trace: ["json", "cni", "exec", "record", "network", "runtime", "log", "operations", "doctor"],
  watch: [
    "json",
    "cni",
    "exec",
    "record",
    "network",
    "plugin",
    "host",
    "conf",
    "wrap",
    "runtime",
    "log",
    "operations",
    "doctor"
  ],
  cli: [
    "json",
    "cni",
    "exec",
    "record",
    "network",
    "sinks",
    "plugin",
    "host",
    "conf",
    "wrap",
    "runtime",
    "log",
    "operations",
    "export",
    "render",
    "doctor",
    "trace",
    "watch"
  ]
}

const files = Fs.readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file))

const ourImports = new Map(files.map((file) => [
  file,
  [...Fs.readFileSync(Path.join(src, file), "utf8").matchAll(/ from "(\.[^"]+)"/g)]
    .map(([, path = ""]) => Path.join(Path.dirname(file), path))
]))

/** The modules of ours that a file imports, by their path in `src/`. */
const importsOf = (file: string): ReadonlyArray<string> => ourImports.get(file) ?? []

/** The page of reports runs in browsers; what it and the command know of each other are the types of its data. */
const isOfPage = (file: string): boolean => file.startsWith("render/html/page/")

const roomOf = (file: string): string => isOfPage(file) ? "page" : file.split("/").slice(0, -1)[0] ?? ""

/** All modules that a file needs, itself included. */
const closure = (file: string, found = new Set<string>()): Set<string> => {
  if (found.has(file)) return found
  found.add(file)
  for (const other of importsOf(file)) closure(other, found)
  return found
}

describe("a module", () => {
  for (const [room, below] of Object.entries(rooms)) {
    it(`of ${room}/ knows ${below.length === 0 ? "no other room" : `only ${below.join(", ")}`}`, () => {
      const strangers = files.filter((file) => roomOf(file) === room).flatMap((file) =>
        importsOf(file)
          .filter((other) => ![room, "", ...below].includes(roomOf(other)))
          .map((other) => `${file} knows ${other}`)
      )
      assert.deepStrictEqual(strangers, [])
    })
  }

  it("is in one of these rooms, or an entry of the library", () => {
    const entries = files.filter((file) => roomOf(file) === "")
    assert.deepStrictEqual(entries.sort(), ["Passthrough.ts", "Version.ts", "index.ts"])
    assert.deepStrictEqual([...new Set(files.map(roomOf))].filter((room) => room !== "" && !(room in rooms)), [])
  })
})

describe("files of a room", () => {
  it("do not need each other, not even for types", () => {
    const needed = new Map(files.map((file) => [file, closure(file)]))
    const circles = files.map((file) =>
      [...needed.get(file) ?? []].filter((other) => needed.get(other)?.has(file)).toSorted().join(" ")
    )
    assert.deepStrictEqual([...new Set(circles)].filter((circle) => circle.includes(" ")), [])
  })
})

describe("live services of the plugin", () => {
  it("are known to Live alone, and Live to main and the library's entry", () => {
    const knownTo = (pattern: RegExp) => files.filter((file) => importsOf(file).some((other) => pattern.test(other)))
    assert.deepStrictEqual(knownTo(/^plugin\/live\//), ["plugin/Live.ts"])
    assert.deepStrictEqual(knownTo(/^plugin\/Live\.ts$/).sort(), ["Passthrough.ts", "plugin/main.ts"])
  })

  it("are not known to the pipeline, nor is any kind of sink", () => {
    const known = [...closure("plugin/Passthrough.ts")]
    assert.deepStrictEqual(known.filter((file) => /\/live\/|NodeProcessRunner|plugin\/Live/.test(file)), [])
    assert.notInclude(importsOf("plugin/Passthrough.ts").join(), "Registry")
  })
})

describe("the page of reports", () => {
  it("has nothing in it of operations/ and render/ but types, nor of any library but Preact", () => {
    const imports = files.filter(isOfPage).flatMap((file) =>
      [...Fs.readFileSync(Path.join(src, file), "utf8").matchAll(/^import (?!type).* from "([^"]+)"/gm)]
        .map(([, from = ""]) => from.startsWith(".") ? Path.join(Path.dirname(file), from) : from)
    )
    const own = imports.filter((from) => from.includes("/") && /\.tsx?$/.test(from))
    assert.deepStrictEqual(own.filter((from) => !isOfPage(from) && !/^(?:json|record)\//.test(from)), [])
    const others = imports.filter((from) => !own.includes(from))
    assert.deepStrictEqual([...new Set(others)].sort(), ["preact", "preact/hooks"])
  })
})

describe("the plugin's bundle", () => {
  it("has nothing in it of the command", () => {
    const known = new Set([...closure("plugin/main.ts")].map(roomOf))
    const command = [
      "host",
      "conf",
      "wrap",
      "runtime",
      "log",
      "operations",
      "export",
      "render",
      "doctor",
      "trace",
      "watch",
      "cli"
    ]
    for (const room of command) assert.notInclude([...known], room)
  })
})
