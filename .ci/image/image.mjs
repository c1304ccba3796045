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
import * as Executables from "../pack/executables.mjs"

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
Executables.writeNotices(root)
Fs.appendFileSync(Path.join(root, "THIRD_PARTY_NOTICES"), "\nThe libraries in /lib and /lib64 are glibc (LGPL-2.1).\n")

const containerfile = ".ci/image/Containerfile"
const tags = [version, "latest"].map((tag) => `localhost/cni-passthrough:${tag}`)
const podman = (...args) => execFileSync("podman", args, { stdio: ["ignore", "ignore", "inherit"] })
const named = tags.map((tag) => `--tag=${tag}`)
podman("build", "--layers=false", "--timestamp=0", `--build-arg=VERSION=${version}`, ...named, "-f", containerfile, to)
const archive = Path.join(to, `cni-passthrough-${version}-${process.arch}.tar`)
podman("save", "--format", "oci-archive", "--output", archive, tags[0])
Fs.rmSync(root, { recursive: true })
process.stdout.write(`${tags.join(", ")}\n${archive}: ${Math.round(Fs.statSync(archive).size / 1e6)} MB\n`)
