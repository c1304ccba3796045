/**
 * Builds an OCI image out of nothing, offline: the executable, which is the command and the plugin that it puts on
 * hosts, the same for hosts with musl, and the C library that it runs on itself. The scripts in `dist` are built already.
 *
 *   node .ci/image/image.mjs            localhost/cni-passthrough:VERSION and :latest in podman's storage, and the archive
 *                                       dist/image/cni-passthrough-VERSION-PROCESSOR.tar
 *   node .ci/image/image.mjs --to DIR   the archive in another folder
 */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { parseArgs } from "node:util"
import * as Bill from "../licences/bill.mjs"
import * as Parts from "../licences/parts.mjs"
import * as Executables from "../pack/executables.mjs"
import * as Tar from "../release/tar.mjs"

const { values: { to } } = parseArgs({ options: { to: { type: "string", default: "dist/image" } } })
const { version } = JSON.parse(Fs.readFileSync("package.json", "utf8"))

/**
 * The files that the command needs of the host that builds: glibc and its loader. The command runs on glibc as its form
 * for musl would need a loader too, which few build hosts have.
 */
const libc = (executable) =>
  execFileSync("ldd", [executable], { encoding: "utf8" }).split("\n")
    .flatMap((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? [])

process.stderr.write("packing the executables, and building the image out of them …\n")
Fs.rmSync(to, { recursive: true, force: true })
const root = Path.join(to, "root")
Executables.pack(process.arch, root)
Executables.pack(`${process.arch}-musl`, Path.join(root, "musl"), { hasCommand: false })
for (const file of libc(Path.join(root, "cni-passthrough"))) {
  Fs.mkdirSync(Path.join(root, Path.dirname(file)), { recursive: true })
  Fs.copyFileSync(file, Path.join(root, file))
}
const parts = Executables.parts([process.arch, `${process.arch}-musl`])
const libcVersion = execFileSync("getconf", ["GNU_LIBC_VERSION"], { encoding: "utf8" }).trim().split(" ")[1]
const all = { ...parts, beside: [...parts.beside, Parts.glibc(libcVersion)] }
Executables.writeNotices(root, all)
// Modes and times of what was copied must not depend on who builds, and when.
execFileSync("chmod", ["-R", "u=rwX,go=rX,a-st", root])

const containerfile = ".ci/image/Containerfile"
const tags = [version, "latest"].map((tag) => `localhost/cni-passthrough:${tag}`)
const podman = (...args) => execFileSync("podman", args, { stdio: ["ignore", "ignore", "inherit"] })
const named = tags.map((tag) => `--tag=${tag}`)
podman("build", "--layers=false", "--timestamp=0", `--build-arg=VERSION=${version}`, ...named, "-f", containerfile, to)
const archive = Path.join(to, `cni-passthrough-${version}-${process.arch}.tar`)
// podman's own archives have the time of their making in them.
const layout = Path.join(to, "layout")
podman("save", "--format", "oci-dir", "--output", layout, tags[0])
execFileSync("tar", [...Tar.options(0), "-C", layout, "-cf", archive, ...Fs.readdirSync(layout).sort()])
for (const folder of [root, layout]) Fs.rmSync(folder, { recursive: true })
const packages = JSON.parse(Fs.readFileSync("dist/packages.json", "utf8"))
const bill = Bill.inside({ epoch: 0, name: "cni-passthrough", packages, parts: all, version })
Fs.writeFileSync(archive.replace(/\.tar$/, ".cdx.json"), Bill.text(bill))
process.stdout.write(`${tags.join(", ")}\n${archive}: ${Math.round(Fs.statSync(archive).size / 1e6)} MB\n`)
