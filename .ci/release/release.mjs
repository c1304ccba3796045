/**
 * Makes all that people download, in `dist/release`, the same bytes each time. The scripts in `dist` are built already.
 *
 *   node .ci/release/release.mjs             for all targets
 *   node .ci/release/release.mjs x64         for this one: its tarball and its Debian package, and what is for all targets
 *   node .ci/release/release.mjs --to DIR    into another folder
 *   node .ci/release/release.mjs --fast      with Debian packages that are larger, in a minute less for each of them
 *
 * SOURCE_DATE_EPOCH is the time that all files get, by default that of the last commit.
 */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { parseArgs } from "node:util"
import * as Bill from "../licences/bill.mjs"
import * as Bun from "../pack/bun.mjs"
import * as Executables from "../pack/executables.mjs"
import * as Debian from "./debian.mjs"
import * as Manual from "./manual.mjs"
import * as Tar from "./tar.mjs"

const { positionals, values: { fast, to } } = parseArgs({
  options: { fast: { type: "boolean", default: false }, to: { type: "string", default: "dist/release" } },
  allowPositionals: true
})
const targets = positionals.length === 0 ? Bun.targets : positionals
const { name, version } = JSON.parse(Fs.readFileSync("package.json", "utf8"))
const epoch = process.env.SOURCE_DATE_EPOCH ??
  execFileSync("git", ["log", "-1", "--format=%ct"], { encoding: "utf8" }).trim()
// Nothing else of the environment, such as FORCE_COLOR, decides what is written.
const { HOME, PATH } = process.env
const env = { HOME, PATH, SOURCE_DATE_EPOCH: epoch, LC_ALL: "C", TZ: "UTC" }
const run = (program, ...args) =>
  execFileSync(program, args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })

/** Writes a file, and the folder that it is in. */
const write = (file, text) => {
  Fs.mkdirSync(Path.dirname(file), { recursive: true })
  Fs.writeFileSync(file, text)
}

/** What is said about the command by itself: shell completions and manual pages. */
const writeTexts = (folder) => {
  for (const shell of ["bash", "zsh", "fish"]) {
    write(Path.join(folder, "completions", `${name}.${shell}`), run("dist/cni-passthrough", "--completions", shell))
  }
  const date = new Date(Number(epoch) * 1000)
  for (const [page, text] of Manual.pages((...args) => run("dist/cni-passthrough", ...args), version, date)) {
    write(Path.join(folder, "man", page), text)
  }
}

/** A folder with all that a tarball has. */
const stage = (target, folder) => {
  Executables.pack(target, folder)
  Executables.writeNotices(folder, Executables.parts([target]))
  for (const file of ["LICENSE", "README.md", "conf", "docs"]) {
    Fs.cpSync(file, Path.join(folder, file), { recursive: true })
  }
  writeTexts(folder)
}

/** Packs a folder of `parent`, with gzip, as minimal hosts have no xz. gzip -9 would take twice the time for 0.3 %. */
const tar = (parent, folder, file) =>
  run("tar", ...Tar.options(epoch), "--use-compress-program=gzip -6 -n", "-C", parent, "-cf", file, folder)

/** Writes what is inside the executables, and what they were built with. */
const writeBills = () => {
  const packages = JSON.parse(Fs.readFileSync("dist/packages.json", "utf8"))
  const inside = Bill.inside({ epoch, name, packages, parts: Executables.parts(targets), version })
  const sbom = JSON.parse(run("npm", "sbom", "--sbom-format=cyclonedx", "--package-lock-only"))
  write(Path.join(to, `${name}-${version}.cdx.json`), Bill.text(inside))
  write(Path.join(to, `${name}-${version}-build.cdx.json`), Bill.text(Bill.builtWith(sbom, { epoch, name })))
}

const digest = (file) => createHash("sha256").update(Fs.readFileSync(file)).digest("hex")

Fs.rmSync(to, { recursive: true, force: true })
Fs.mkdirSync(to, { recursive: true })
const work = Fs.mkdtempSync(Path.join(to, "work-"))
try {
  for (const target of targets) {
    const folder = `${name}-${version}-linux-${target}`
    stage(target, Path.join(work, folder))
    tar(work, folder, Path.resolve(to, `${folder}.tar.gz`))
    if (!target.endsWith("-musl")) {
      const parts = Executables.parts([target])
      Debian.build({ from: Path.join(work, folder), to, target, version, epoch, run, parts, isFast: fast })
    }
    Fs.rmSync(Path.join(work, folder), { recursive: true })
  }
} finally {
  Fs.rmSync(work, { recursive: true, force: true })
}
run("npm", "run", "-s", "modes")
run("npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", to)
writeBills()
const files = Fs.readdirSync(to).sort()
Fs.writeFileSync(Path.join(to, "SHA256SUMS"), files.map((file) => `${digest(Path.join(to, file))}  ${file}\n`).join(""))
for (const file of files) {
  const size = (Fs.statSync(Path.join(to, file)).size / 1e6).toFixed(1)
  process.stdout.write(`${size.padStart(8)} MB  ${Path.join(to, file)}\n`)
}
