/**
 * Packs the plugin and the companion command, each with a Bun into one executable that needs nothing on the host.
 *
 *   node .ci/standalone.mjs          for this processor: dist/standalone/passthrough
 *   node .ci/standalone.mjs x64 arm64    for these: dist/standalone/passthrough-x64, …-arm64
 */
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { join, resolve } from "node:path"

const { optionalDependencies } = JSON.parse(readFileSync(".ci/bun/package.json", "utf8"))
const packages = { x64: "@oven/bun-linux-x64", arm64: "@oven/bun-linux-aarch64" }

/** The Bun for a processor: npm installs only the one of this machine, so any other is unpacked beside it. */
const bunFor = (processor) => {
  const name = packages[processor]
  if (name === undefined) {
    throw new Error(`found the processor ${processor}, expected ${Object.keys(packages).join(" or ")}`)
  }
  const installed = resolve("node_modules", name, "bin/bun")
  if (existsSync(installed)) return installed
  const folder = resolve("node_modules/.cache/bun", processor)
  const unpacked = join(folder, "package/bin/bun")
  if (!existsSync(unpacked)) {
    mkdirSync(folder, { recursive: true })
    const version = optionalDependencies[name]
    const [archive] = JSON.parse(
      execFileSync("npm", ["pack", `${name}@${version}`, "--json", "--pack-destination", folder], { encoding: "utf8" })
    )
    execFileSync("tar", ["-xzf", join(folder, archive.filename), "-C", folder])
    rmSync(join(folder, archive.filename))
  }
  return unpacked
}

const pack = (processor, name, options, suffix = "") => {
  mkdirSync("dist/standalone", { recursive: true })
  // Names within it become part of the executable: they are the same each time, so that it is too.
  const folder = mkdtempSync("dist/standalone/pack-")
  try {
    copyFileSync(join("dist", name), join(folder, `${name}.cjs`)) // Bun takes a file without an extension for data
    execFileSync(bunFor(process.arch), [
      "build",
      "--compile",
      "--bytecode",
      // Most code runs once: compiling it to machine code takes longer, and more memory, than it saves.
      "--compile-jit-policy=10",
      // What lies in the working directory of a runtime is none of our business.
      "--no-compile-autoload-dotenv",
      "--no-compile-autoload-bunfig",
      ...options,
      `--compile-executable-path=${bunFor(processor)}`,
      `--target=bun-linux-${processor}`,
      `--outfile=${name}`,
      `${name}.cjs`
    ], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] })
    chmodSync(join(folder, name), 0o755)
    renameSync(join(folder, name), join("dist/standalone", `${name}${suffix}`))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const packAll = (processor, suffix) => {
  // The working directory of a plugin need not exist: without this Bun ends in a deleted one before our first line.
  pack(processor, "passthrough", ["--compile-exec-argv=--cwd=/"], suffix)
  pack(processor, "cni-passthrough", [], suffix)
}

const processors = process.argv.slice(2)
if (processors.length === 0) packAll(process.arch)
for (const processor of processors) packAll(processor, `-${processor}`)

const version = optionalDependencies[packages[process.arch]]
writeFileSync(
  "dist/standalone/THIRD_PARTY_NOTICES",
  `${readFileSync("dist/THIRD_PARTY_NOTICES", "utf8")}
${"-".repeat(80)}

Bun ${version} (MIT)

The executable contains Bun, and with it JavaScriptCore (LGPL-2.1) and other libraries. Their licences and how to link
against another JavaScriptCore: https://bun.com/docs/project/licensing
`
)
