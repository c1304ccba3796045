/**
 * The Buns that standalone executables are packed with: one for each processor and C library, all from the packages
 * that package-lock.json names.
 */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Imports from "./imports.mjs"
import * as Musl from "./musl.mjs"

/** What executables are packed for, and the package with the Bun for it. */
const packages = {
  "x64": "@oven/bun-linux-x64",
  "arm64": "@oven/bun-linux-aarch64",
  "x64-musl": "@oven/bun-linux-x64-musl",
  "arm64-musl": "@oven/bun-linux-aarch64-musl"
}

/** All that executables can be packed for; those without `-musl` are for glibc. */
export const targets = Object.keys(packages)

/** A package as the lock file has it. */
const locked = (name) => JSON.parse(Fs.readFileSync("package-lock.json", "utf8")).packages[`node_modules/${name}`]

/** The version of all Buns. */
export const version = () => locked(packages.x64).version

/** Downloads the package `name` and unpacks it in `folder`. */
const download = (name, folder) => {
  const { integrity, version } = locked(name)
  Fs.mkdirSync(folder, { recursive: true })
  const [archive] = JSON.parse(
    execFileSync("npm", ["pack", `${name}@${version}`, "--json", "--pack-destination", folder], { encoding: "utf8" })
  )
  if (archive.integrity !== integrity) throw new Error(`${name}@${version} is not the one of package-lock.json`)
  execFileSync("tar", ["-xzf", Path.join(folder, archive.filename), "-C", folder])
  Fs.rmSync(Path.join(folder, archive.filename))
}

/** The folder for what is unpacked for a target, by version. */
const cache = (target) => Path.resolve("node_modules/.cache/bun", version(), target)

/** The Bun of a target as it was published: npm installs only the one of this machine, any other is unpacked beside. */
const published = (target) => {
  const name = packages[target]
  if (name === undefined) throw new Error(`found the target ${target}, expected one of ${targets.join(", ")}`)
  const installed = Path.resolve("node_modules", name, "bin/bun")
  if (Fs.existsSync(installed)) return installed
  const unpacked = Path.join(cache(target), "package/bin/bun")
  if (!Fs.existsSync(unpacked)) download(name, cache(target))
  return unpacked
}

/** The Bun that becomes part of an executable for a target. */
const bunFor = (target) =>
  target.endsWith("-musl") ? Musl.prepare(published(target), target, cache(target)) : published(target)

/** The library that an executable for this target needs beside it; undefined where it needs none. */
export const libraryFor = (target) =>
  target.endsWith("-musl") ? Path.join(Path.dirname(bunFor(target)), Musl.library) : undefined

/** The options that all executables are packed with. */
const options = [
  "--compile",
  "--bytecode",
  // Most code runs once: compiling it to machine code takes longer, and more memory, than it saves.
  "--compile-jit-policy=10",
  // What lies in the working directory of a runtime is none of our business.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  // Without this, Bun exits before our first line if its working directory is deleted. See also `imports.mjs`.
  "--compile-exec-argv=--cwd=/proc/self/cwd"
]

/**
 * Packs modules, given as their names and texts, with the Bun of a target into the executable `file`. It evaluates the
 * first module. That one finds another of the name `name` as `/$bunfs/root/name.js`.
 */
export const pack = (modules, target, file) => {
  Fs.mkdirSync(Path.dirname(file), { recursive: true })
  // Names within it become part of the executable: they are the same each time, so that it is too.
  const folder = Fs.mkdtempSync(Path.join(Path.dirname(file), "pack-"))
  const name = "packed"
  try {
    const files = Object.entries(modules).map(([name, text]) => {
      Fs.writeFileSync(Path.join(folder, `${name}.cjs`), text) // without .cjs Bun takes it for data
      return `${name}.cjs`
    })
    execFileSync(
      published(process.arch),
      [
        "build",
        ...options,
        `--compile-executable-path=${bunFor(target)}`,
        `--target=bun-linux-${target}`,
        `--outfile=${name}`,
        ...files
      ],
      { cwd: folder, stdio: ["ignore", "ignore", "inherit"] }
    )
    Imports.replace(Path.join(folder, name))
    Fs.chmodSync(Path.join(folder, name), 0o755)
    Fs.renameSync(Path.join(folder, name), file)
  } finally {
    Fs.rmSync(folder, { recursive: true })
  }
}
