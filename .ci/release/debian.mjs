/**
 * The Debian package. The plugin is a file in /usr/lib/cni, where Debian's own plugins are and Debian's podman, CRI-O and
 * containerd can look; the package brings nothing into /opt, which is not Debian's: `cni-passthrough install` puts a copy
 * there for runtimes that look into /opt/cni/bin only.
 */
import { createHash } from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { gzipSync } from "node:zlib"
import * as Texts from "../licences/texts.mjs"

const name = "cni-passthrough"
const architectures = { x64: "amd64", arm64: "arm64" }

/** Where files of the folder of a tarball go. */
const places = {
  "passthrough": "usr/lib/cni/passthrough",
  "THIRD_PARTY_NOTICES": `usr/share/doc/${name}/THIRD_PARTY_NOTICES`,
  "README.md": `usr/share/doc/${name}/README.md`,
  "docs": `usr/share/doc/${name}/docs`,
  "conf": `usr/share/doc/${name}/examples`,
  "conf/passthrough.logrotate": `etc/logrotate.d/${name}`,
  [`conf/${name}-leaks.service`]: `usr/lib/systemd/system/${name}-leaks.service`,
  [`completions/${name}.bash`]: `usr/share/bash-completion/completions/${name}`,
  [`completions/${name}.zsh`]: `usr/share/zsh/vendor-completions/_${name}`,
  [`completions/${name}.fish`]: `usr/share/fish/vendor_completions.d/${name}.fish`
}

/** The executable is the command by this name. Thus dpkg upgrades both at once. */
const links = { [`usr/bin/${name}`]: "../lib/cni/passthrough" }

const put = (root, place, content, mode = 0o644) => {
  const file = Path.join(root, place)
  Fs.mkdirSync(Path.dirname(file), { recursive: true })
  Fs.writeFileSync(file, content)
  Fs.chmodSync(file, mode)
}

const zipped = (content) => {
  const bytes = gzipSync(content, { level: 9 })
  bytes[9] = 3 // the system: Unix, wherever it was made
  return bytes
}

/** The files in a folder, in order. */
const filesIn = (root) =>
  Fs.readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory())
    .map(({ name, parentPath }) => Path.relative(root, Path.join(parentPath, name))).sort()

/** A text as lines of a field. */
const field = (text) => text.split("\n").map((line) => ` ${line === "" ? "." : line}`).join("\n")

/** Our licence: its years and holders, and its text. */
const licence = () => {
  const text = Fs.readFileSync("LICENSE", "utf8").trim()
  const [, holders, terms] = /^Copyright \(c\) (.+)\n\n([^]+)$/m.exec(text)
  return { holders, terms: field(terms) }
}

/** The texts that each Debian has, in /usr/share/common-licenses. */
const common = { "Apache-2.0": "Apache-2.0", "LGPL-2.1-or-later": "LGPL-2.1", "GPL-3.0-or-later": "GPL-3" }

const terms = (identifier) =>
  common[identifier] === undefined
    ? Texts.text(identifier)
    : `On Debian systems, the text is in /usr/share/common-licenses/${common[identifier]}.`

/** The holders of all parts of the executable, their licences and the texts of these. */
const partLicences = ({ bun, linked }) => {
  const parts = [bun, ...linked]
  const identifiers = Texts.identifiers(parts.map(({ licence }) => licence)).filter((name) => name !== "MIT")
  return {
    partHolders: field(parts.flatMap(({ copyright, name }) => copyright.map((line) => `${line} (${name})`)).join("\n")),
    partLicences: identifiers.join(" and "),
    partTerms: identifiers.map((name) => `License: ${name}\n${field(terms(name))}`).join("\n\n")
  }
}

const md5 = (root, file) =>
  `${createHash("md5").update(Fs.readFileSync(Path.join(root, file))).digest("hex")}  ${file}\n`

const template = (file, values) =>
  Fs.readFileSync(Path.join(".ci/debian", file), "utf8").replace(/@(\w+)@/g, (_, key) => values[key])

/**
 * Compressions. With xz the executable has 42 MB, with gzip 60. xz takes two minutes of one processor to pack, and
 * unpacking takes 3.5 s more. dpkg has it built in, unlike zstd before Debian 12.
 */
const compressions = { small: ["-Zxz", "-z6"], fast: ["-Zgzip", "-z1"] }

/** Builds the package of a target from the folder `from` of its tarball. With `isFast`, it is larger. */
export const build = ({ epoch, from, isFast, parts, run, target, to, version }) => {
  const root = `${from}-debian`
  for (const [file, place] of Object.entries(places)) {
    Fs.cpSync(Path.join(from, file), Path.join(root, place), { recursive: true, mode: Fs.constants.COPYFILE_FICLONE })
  }
  for (const [link, leadsTo] of Object.entries(links)) {
    Fs.mkdirSync(Path.dirname(Path.join(root, link)), { recursive: true })
    Fs.symlinkSync(leadsTo, Path.join(root, link))
  }
  for (const page of Fs.readdirSync(Path.join(from, "man"))) {
    put(root, `usr/share/man/man1/${page}.gz`, zipped(Fs.readFileSync(Path.join(from, "man", page))))
  }
  const date = run("date", "--rfc-email", "--utc", `--date=@${epoch}`).trim()
  const values = { version, date, architecture: architectures[target], ...licence(), ...partLicences(parts) }
  put(root, `usr/share/doc/${name}/changelog.gz`, zipped(template("changelog", values)))
  put(root, `usr/share/doc/${name}/copyright`, template("copyright", values))
  put(root, `usr/share/lintian/overrides/${name}`, template("overrides", values))
  const files = filesIn(root)
  const size = files.reduce((sum, file) => sum + Fs.lstatSync(Path.join(root, file)).size, 0)
  put(root, "DEBIAN/control", template("control", { ...values, size: Math.ceil(size / 1024) }))
  put(root, "DEBIAN/conffiles", `/${places["conf/passthrough.logrotate"]}\n`)
  const functions = Fs.readFileSync(".ci/debian/functions", "utf8")
  for (const script of ["preinst", "postinst", "prerm"]) {
    put(root, `DEBIAN/${script}`, template(script, { ...values, functions }), 0o755)
  }
  const regular = files.filter((file) => Fs.lstatSync(Path.join(root, file)).isFile() && !file.startsWith("etc/"))
  put(root, "DEBIAN/md5sums", regular.map((file) => md5(root, file)).join(""))
  run("chmod", "-R", "u=rwX,go=rX,a-st", root)
  // dpkg-deb itself only takes times back that are later than SOURCE_DATE_EPOCH.
  run("find", root, "-exec", "touch", "--no-dereference", `--date=@${epoch}`, "{}", "+")
  const file = Path.join(to, `${name}_${version}_${architectures[target]}.deb`)
  run("dpkg-deb", "--root-owner-group", ...compressions[isFast ? "fast" : "small"], "--build", root, file)
  Fs.rmSync(root, { recursive: true })
}
