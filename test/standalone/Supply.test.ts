/** What is shipped: the same bytes from the same sources, and the licences of all that is in it. */
import { assert, describe, it } from "@effect/vitest"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { buildIn } from "../support/build.ts"
import { repository, temporary } from "../support/plugin.ts"

/** A package as package-lock.json describes it. */
interface Locked {
  readonly integrity?: string
  readonly link?: boolean
  readonly optionalDependencies?: { readonly [name: string]: string }
}

const digest = (file: string) => Crypto.createHash("sha256").update(Fs.readFileSync(file)).digest("hex")

describe("the build", () => {
  it("gives the same bytes again, in any folder", () => {
    using folder = temporary()
    Fs.cpSync(Path.join(repository, "src"), Path.join(folder.path, "src"), { recursive: true })
    buildIn(folder.path)
    const files = ["passthrough", "cni-passthrough", "standalone/passthrough"]
    for (const file of files.map((name) => `dist/${name}`)) {
      assert.strictEqual(digest(Path.join(folder.path, file)), digest(Path.join(repository, file)))
    }
  })
})

describe("the notices", () => {
  it("name each package in the executables, with its licence", () => {
    const notices = Fs.readFileSync(Path.join(repository, "dist/standalone/THIRD_PARTY_NOTICES"), "utf8")
    for (const name of ["effect", "@effect/platform-node", "@effect/platform-node-shared", "Bun"]) {
      assert.match(notices, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(MIT\\)$`, "m"))
    }
    assert.include(notices, "Permission is hereby granted, free of charge")
  })
})

describe("the dependencies", () => {
  const { dependencies = {}, devDependencies, scripts } = JSON.parse(
    Fs.readFileSync(Path.join(repository, "package.json"), "utf8")
  )

  it("have exact versions", () => {
    for (const version of Object.values({ ...dependencies, ...devDependencies })) {
      assert.match(String(version), /^(?:\d+\.\d+\.\d+|file:\.ci\/\w+)$/)
    }
  })

  it("are all in the lock file with their hashes, those of other platforms too", () => {
    const { packages } = JSON.parse(Fs.readFileSync(Path.join(repository, "package-lock.json"), "utf8"))
    for (const [folder, { integrity, link, optionalDependencies = {} }] of Object.entries<Locked>(packages)) {
      for (const name of Object.keys(optionalDependencies)) {
        assert.isTrue(
          `node_modules/${name}` in packages || `${folder}/node_modules/${name}` in packages,
          `${name}, which ${folder} asks for`
        )
      }
      if (folder.includes("node_modules/") && link !== true) assert.match(integrity ?? "", /^sha512-/, folder)
    }
  })

  it("run no scripts when they are installed", () => {
    assert.match(scripts.setup, /npm ci --ignore-scripts /)
  })
})
