/** What people download: each file is installed and used as they would. */
import { Validation } from "@cyclonedx/cyclonedx-library"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { engines } from "../support/engines.ts"
import { isStandalone, path, records, repository, temporary } from "../support/plugin.ts"
import { describeWith, itWithRegistry } from "../support/requirements.ts"
import * as Scripts from "../support/scripts.ts"
import { arm64 } from "./support/arm64.ts"
import { cloneInto, elsewhere, release, unpack } from "./support/release.ts"
import * as Sandbox from "./support/sandbox.ts"

const { peerDependencies, version } = JSON.parse(Fs.readFileSync(Path.join(repository, "package.json"), "utf8"))

const run = (
  program: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd?: string; readonly env?: object } = {}
) => {
  const { status, stderr, stdout } = ChildProcess.spawnSync(program, args, {
    cwd: options.cwd ?? "/",
    env: { ...options.env, PATH: path },
    encoding: "utf8",
    timeout: 300_000
  })
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: exit status ${status}\n${stdout}\n${stderr}`)
  return stdout
}

/** The lines of SHA256SUMS, by file. */
const sums = (folder: string) =>
  Object.fromEntries(
    Fs.readFileSync(Path.join(folder, "SHA256SUMS"), "utf8").trim().split("\n").map((line) =>
      line.split("  ").reverse()
    )
  )

/** What the files of this version are called. */
const own = `cni-passthrough-${version}`

/** The names of what a bill of materials lists. */
const names = (bill: string): ReadonlyArray<string> =>
  JSON.parse(Fs.readFileSync(bill, "utf8")).components.map(({ name }: { readonly name: string }) => name)

/** A plugin with a sink of its own. */
const library = `
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { JsonFormat, LogSink, type Opener, Passthrough, type Run, type Writer } from "cni-passthrough"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"

const write = (text: string) => Effect.sync(() => Fs.appendFileSync("records", text))
const writer: Writer = { write: (record) => write(JsonFormat.render(record)) }
const opener: Opener = { open: (_run: Run) => Effect.succeed(writer) }
const Own = Layer.succeed(LogSink, LogSink.of(opener))
Passthrough.main.pipe(Effect.provide(Layer.provideMerge(Own, Passthrough.layer)), NodeRuntime.runMain)
`

/** Layers over what packages write to. */
const layers = `
for folder in usr etc var; do
  mkdir -p /tmp/layers/$folder
  mount -t tmpfs tmpfs /tmp/layers/$folder
  mkdir /tmp/layers/$folder/upper /tmp/layers/$folder/work
done
for folder in usr etc var; do
  layer=/tmp/layers/$folder
  mount -t overlay overlay -o lowerdir=/$folder,upperdir=$layer/upper,workdir=$layer/work /$folder
done
mkdir -p /etc/cni/net.d /var/lib/cni
`

/** A plugin whose ADD goes on once /tmp/go is there, and how to call plugins. */
const plugins = `
plugin() { printf '#!/bin/sh\\n%s\\n' "$2" > /usr/lib/cni/$1; chmod 755 /usr/lib/cni/$1; }
wait_for() { for i in $(seq 1200); do [ ! -e $1 ] || return 0; sleep 0.1; done; echo "no $1" >&2; exit 1; }
plugin slow '[ $CNI_COMMAND = VERSION ] || { touch /tmp/started; until [ -e /tmp/go ]; do sleep 0.1; done; }; cat'
export CNI_CONTAINERID=c1 CNI_IFNAME=eth0 CNI_NETNS=/run/netns/none
ADD() { CNI_COMMAND=ADD /usr/lib/cni/$1 <<< "$2"; }
VERSION() { CNI_COMMAND=VERSION /usr/lib/cni/passthrough < /dev/null; }
rm -f /tmp/go /tmp/started
`

/** The contents of a package of an older version, which this one upgrades: its executable has other bytes. */
const raw = `
rm -rf /tmp/older
dpkg-deb --raw-extract /tmp/new.deb /tmp/older
sed -i 's/^Version: .*/Version: 0.9.0/' /tmp/older/DEBIAN/control
printf x | dd of=/tmp/older/usr/lib/cni/passthrough bs=1 seek=15 conv=notrunc status=none # no one reads this byte
`
const packed = "dpkg-deb -Znone --root-owner-group --build /tmp/older /tmp/older.deb >&2"

const suite = () => {
  let folder: ReturnType<typeof temporary>
  let again: ReturnType<typeof temporary>
  let clone: string
  const file = (name: string) => Path.join(folder.path, name)
  beforeAll(() => {
    folder = temporary()
    release(folder.path, "--fast", "x64", "arm64")
    again = temporary()
    clone = Path.join(again.path, "a clone")
    Fs.mkdirSync(clone)
    cloneInto(clone)
    elsewhere(clone, "npm", "pack", "--silent")
    elsewhere(clone, "node", ".ci/release/release.mjs", "--to", Path.join(again.path, "release"), "x64")
  })
  afterAll(() => {
    folder[Symbol.dispose]()
    again[Symbol.dispose]()
  })

  it("has the same bytes when another user makes it in another folder, time zone and language", () => {
    const [first, second] = [sums(folder.path), sums(Path.join(again.path, "release"))]
    const same = [`-linux-x64.tar.gz`, `-build.cdx.json`, `.cdx.json`, `.tgz`].map((end) => `${own}${end}`)
    assert.deepStrictEqual(Object.keys(second).sort(), [...same, `cni-passthrough_${version}_amd64.deb`].sort())
    for (const name of same) assert.strictEqual(second[name], first[name], name)
    run("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: folder.path })
  })

  it("has a small Debian package, with the same in it as the one that is made fast", () => {
    const [fast, small] = [folder.path, Path.join(again.path, "release")].map((path) =>
      Path.join(path, `cni-passthrough_${version}_amd64.deb`)
    )
    for (const part of ["--fsys-tarfile", "--ctrl-tarfile"]) {
      const digest = (file = "") => run("sh", ["-c", `dpkg-deb ${part} "$0" | sha256sum`, file])
      assert.strictEqual(digest(small), digest(fast), part)
    }
    assert.isAtMost(Fs.statSync(small ?? "").size, 45_000_000)
  })

  it("has bills of materials that CycloneDX's own schemas find valid", async () => {
    for (const end of [".cdx.json", "-build.cdx.json"]) {
      const text = Fs.readFileSync(file(`${own}${end}`), "utf8")
      const validator = new Validation.JsonStrictValidator(JSON.parse(text).specVersion)
      assert.isNull(await validator.validate(text), end)
    }
  })

  it("names what is inside, and apart from that what it was built with", () => {
    const inside = names(file(`${own}.cdx.json`))
    for (const name of ["effect", "jsonc-parser", "preact", "Bun", "ICU", "libstdc++ and libgcc of GCC"]) {
      assert.include(inside, name)
    }
    for (const name of ["vitest", "esbuild"]) assert.notInclude(inside, name)
    const builtWith = names(file(`${own}-build.cdx.json`))
    for (const name of ["vitest", "esbuild", "@oven/bun-linux-x64-musl"]) assert.include(builtWith, name)
  })

  it("names the versions of what is linked into Bun as Bun does", () => {
    const { components } = JSON.parse(Fs.readFileSync(file(`${own}.cdx.json`), "utf8"))
    const named = components.map((component: { readonly version?: string }) => component.version)
    // The others are versions of what Bun is compatible with, or of parts of its own sources.
    const linked = [
      "bun",
      "boringssl",
      "llhttp",
      "libarchive",
      "mimalloc",
      "picohttpparser",
      "webkit",
      "zlib",
      "tinycc"
    ]
      .concat("lolhtml", "ares", "libdeflate", "lshpack", "zstd", "icu", "sqlite")
    const printed = run(engines.Bun, ["--print", "JSON.stringify(process.versions)"])
    const versions = JSON.parse(printed)
    for (const name of linked) assert.include(named, versions[name], name)
  })

  it("has the licence of each part, with its text", () => {
    using unpacked = temporary()
    unpack(file(`${own}-linux-x64.tar.gz`), unpacked.path)
    const notices = Fs.readFileSync(`${unpacked.path}/THIRD_PARTY_NOTICES`, "utf8")
    const { components } = JSON.parse(Fs.readFileSync(file(`${own}.cdx.json`), "utf8"))
    for (const { name, version = "" } of components) assert.include(notices, `${name} ${version}`.trim())
    for (const end of ["END OF TERMS AND CONDITIONS", "GNU LESSER GENERAL PUBLIC LICENSE", "Independent JPEG Group."]) {
      assert.include(notices, end)
    }
    run("dpkg-deb", ["--extract", file(`cni-passthrough_${version}_amd64.deb`), `${unpacked.path}/deb`])
    const copyright = Fs.readFileSync(`${unpacked.path}/deb/usr/share/doc/cni-passthrough/copyright`, "utf8")
    const [, , executable = ""] = copyright.split("\n\n")
    const licences = /^License: (.+)$/m.exec(executable)?.[1]?.split(" and ") ?? []
    assert.includeMembers(licences, ["Expat", "LGPL-2.1-or-later", "GCC-exception-3.1", "Zlib"])
    for (const licence of licences) assert.match(copyright, new RegExp(`^License: ${licence}\n .+`, "m"))
  })

  it("has tarballs with the command, the plugin and what is known about them", () => {
    using unpacked = temporary()
    unpack(file(`cni-passthrough-${version}-linux-x64.tar.gz`), unpacked.path)
    assert.strictEqual(run(`${unpacked.path}/cni-passthrough`, ["--version"]), `cni-passthrough ${version}\n`)
    Fs.mkdirSync(`${unpacked.path}/bin`)
    run(`${unpacked.path}/cni-passthrough`, ["install", "--to", `${unpacked.path}/bin`])
    assert.include(run(`${unpacked.path}/bin/passthrough`, [], { env: { CNI_COMMAND: "VERSION" } }), `"1.1.0"`)
    const files = ["LICENSE", "README.md", "THIRD_PARTY_NOTICES", "completions", "conf", "docs", "man"]
    assert.includeMembers(Fs.readdirSync(unpacked.path), files)
    assert.isTrue(Fs.existsSync(`${unpacked.path}/man/cni-passthrough-show.1`))
  })

  it("has an npm package that is built before it is packed, also where nothing was built yet", () => {
    const packed = Fs.readFileSync(Path.join(clone, `${own}.tgz`))
    assert.isTrue(packed.equals(Fs.readFileSync(file(`${own}.tgz`))))
    const listed = run("tar", ["-tzf", `${own}.tgz`], { cwd: clone }).split("\n")
    assert.includeMembers(listed, ["package/dist/passthrough", "package/dist/lib/index.js"])
  })

  /** Installs the npm package in a project, and further packages or those of this repository. */
  const install = (project: string, ...others: ReadonlyArray<string>) => {
    Fs.writeFileSync(`${project}/package.json`, `{ "type": "module" }`)
    const options = others.length === 0 ? ["--offline", "--legacy-peer-deps"] : []
    const env = others.length === 0 ? { HOME: project } : process.env // a registry may need settings of this user
    run("npm", ["install", ...options, file(`${own}.tgz`), ...others], { cwd: project, env })
    for (const name of ["effect", "@effect", "@types"]) {
      const place = `${project}/node_modules/${name}`
      if (!Fs.existsSync(place)) Fs.symlinkSync(Path.join(repository, "node_modules", name), place)
    }
  }

  /** Checks the types of a plugin with a sink of its own, and runs it. */
  const useLibrary = (project: string) => {
    Fs.writeFileSync(`${project}/plugin.ts`, library)
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--types", "node"]
    run(Path.join(repository, "node_modules/.bin/tsc"), [...options, "plugin.ts"], { cwd: project })
    const printed = run("node", ["plugin.ts"], { cwd: project, env: { CNI_COMMAND: "VERSION" } })
    assert.match(printed, /^\{"cniVersion":"1\.1\.0","supportedVersions":\[[^]*\]\}$/)
    assert.match(Fs.readFileSync(`${project}/records`, "utf8"), /"event":"request"[^]*"event":"result"/)
  }

  it("has an npm package that is a library and a command", () => {
    using project = temporary()
    install(project.path)
    const command = `${project.path}/node_modules/.bin/cni-passthrough`
    assert.strictEqual(run(command, ["--version"]), `cni-passthrough ${version}\n`)
    useLibrary(project.path)
  })

  const newest = ["effect", "@effect/platform-node"].map((name) => `${name}@${peerDependencies.effect}`)
  itWithRegistry(newest, "has a library for the newest effect that its range of peers has", () => {
    using project = temporary()
    install(project.path, ...newest)
    useLibrary(project.path)
  })

  describeWith(["qemu-user-static", "libc6-arm64-cross"], "the executables for arm64", () => {
    it("start, answer VERSION and wrap a plugin", () => {
      using sandbox = Sandbox.make()
      const home = Path.join(sandbox.tmp, "arm64")
      Fs.mkdirSync(home)
      unpack(file(`cni-passthrough-${version}-linux-arm64.tar.gz`), home)
      Scripts.plugin(Path.join(sandbox.tmp, "opt-cni/bin/demo"), ["1.0.0"])
      const printed = sandbox.run(`
${arm64}
/tmp/arm64/cni-passthrough --version
CNI_COMMAND=VERSION /tmp/arm64/passthrough < /dev/null | grep -o '"1.1.0"]'
/tmp/arm64/cni-passthrough wrap demo --log /tmp/log >&2
CNI_COMMAND=VERSION /opt/cni/bin/demo < /dev/null
/tmp/arm64/cni-passthrough unwrap >&2
`)
      assert.strictEqual(
        printed,
        `cni-passthrough ${version}\n"1.1.0"]\n{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}\n`
      )
      const [, plugin] = records(Path.join(sandbox.tmp, "log"))
      assert.deepInclude(plugin, { event: "plugin", label: "demo", command: "VERSION" })
    })
  })

  describeWith(["containernetworking-plugins"], "the Debian package", () => {
    let sandbox: Sandbox.Sandbox
    beforeAll(() => {
      sandbox = Sandbox.make()
      Fs.copyFileSync(file(`cni-passthrough_${version}_amd64.deb`), Path.join(sandbox.tmp, "new.deb"))
    })
    afterAll(() => sandbox[Symbol.dispose]())

    /** Runs a script where packages can be installed without the host noticing. */
    const onHost = (script: string) => sandbox.run(`${layers}\n${plugins}\n${script}`)

    it(
      "is upgraded while its plugin runs, as a tap and around another one, and leaves nothing when it is removed",
      () => {
        const printed = onHost(`
${raw}
mkdir /tmp/older/usr/lib/cni-passthrough # where the command once was a file of its own
cp /tmp/older/usr/lib/cni/passthrough /tmp/older/usr/lib/cni-passthrough/cni-passthrough
ln -s ../cni/passthrough /tmp/older/usr/lib/cni-passthrough/passthrough
ln -sf ../lib/cni-passthrough/cni-passthrough /tmp/older/usr/bin/cni-passthrough
${packed}
before=$(stat -c '%i %Y %s' /usr/lib/cni/slow)
files() { find /usr/lib/cni /usr/bin /usr/share/man /etc/logrotate.d /usr/lib/systemd | sort; }
files > /tmp/before
dpkg --install /tmp/older.deb >&2
cni-passthrough wrap slow --dir /usr/lib/cni --log /tmp/log >&2
ADD slow '{"cniVersion":"1.0.0","name":"n","type":"slow"}' > /tmp/around &
ADD passthrough '{"cniVersion":"1.0.0","name":"n","type":"passthrough","prevResult":{"a":1.0},"hookADD":["touch /tmp/hook; until [ -e /tmp/go ]; do sleep 0.1; done"]}' > /tmp/tap &
wait_for /tmp/started
wait_for /tmp/hook
dpkg --install /tmp/new.deb >&2
dpkg-query --show --showformat '\${Version}\\n' cni-passthrough
[ /usr/bin/cni-passthrough -ef /usr/lib/cni/passthrough ] && [ ! -e /usr/lib/cni-passthrough ] && cni-passthrough --version
VERSION > /dev/null
touch /tmp/go
wait
cat /tmp/around /tmp/tap
dpkg --purge cni-passthrough >&2
[ "$before" = "$(stat -c '%i %Y %s' /usr/lib/cni/slow)" ] && echo the plugin is as it was
files | diff /tmp/before - && echo nothing is left
`)
        assert.strictEqual(
          printed,
          `${version}\ncni-passthrough ${version}\n{"cniVersion":"1.0.0","name":"n","type":"slow"}\n{"a":1.0}` +
            "the plugin is as it was\nnothing is left\n"
        )
      },
      120_000
    )

    it("renews what runs around wrapped plugins when it is upgraded, and neither wraps others nor configures anew", () => {
      const printed = onHost(`
${raw}
${packed}
dpkg --install /tmp/older.deb >&2
mkdir '/tmp/oth*er'
cp /usr/lib/cni/slow '/tmp/oth*er/slow'
cp /usr/lib/cni/slow '/tmp/oth*er/bridge'
for folder in /usr/lib/cni '/tmp/oth*er'; do cni-passthrough wrap slow --dir "$folder" --log /tmp/log --redact mine >&2; done
cp '/tmp/oth*er/.passthrough/config.json' /tmp/config
renewed() { cmp -s "$1/.passthrough/passthrough" /usr/lib/cni/passthrough && echo renewed || echo older; }
CNI_PATH=/nowhere dpkg --install /tmp/new.deb > /tmp/printed 2>&1
for folder in /usr/lib/cni '/tmp/oth*er'; do renewed "$folder"; done
grep -c ': renewed what runs around slow$' /tmp/printed
cmp /tmp/config '/tmp/oth*er/.passthrough/config.json' && head -c 9 '/tmp/oth*er/bridge'
touch /tmp/go
CNI_COMMAND=ADD '/tmp/oth*er/slow' <<< '{"cniVersion":"1.0.0","name":"n","type":"slow"}'
dpkg --purge cni-passthrough >&2
cmp '/tmp/oth*er/slow' '/tmp/oth*er/bridge' && ls -A '/tmp/oth*er'
`)
      assert.strictEqual(
        printed,
        `renewed\nrenewed\n2\n#!/bin/sh{"cniVersion":"1.0.0","name":"n","type":"slow"}\nbridge\nslow\n`
      )
    })

    it("works after a dpkg that was killed between its files, while wrap ran, and is installed again", () => {
      const printed = onHost(`
${raw}
${packed}
truncate -s 200M /tmp/older/usr/share/doc/cni-passthrough/zz # time to stop dpkg after the executable
sed -i 's/^Version: .*/Version: 0.9.1/' /tmp/older/DEBIAN/control
dpkg-deb -Znone --root-owner-group --build /tmp/older /tmp/longer.deb >&2
before=$(stat -c '%i %Y %s' /usr/lib/cni/slow)
dpkg --install /tmp/older.deb >&2
cni-passthrough wrap slow --dir /usr/lib/cni --log /tmp/log >&2
dpkg --install /tmp/longer.deb >&2 & dpkg=$!
until [ -x /usr/lib/cni/passthrough.dpkg-new ]; do kill -0 $dpkg; done
kill -STOP $dpkg
[ -x /usr/lib/cni/passthrough.dpkg-new ]
cni-passthrough wrap --all --dir /usr/lib/cni >&2
kill -KILL $dpkg
wait $dpkg || true
touch /tmp/go
VERSION > /dev/null && ADD slow '{"cniVersion":"1.0.0","name":"n","type":"slow"}'
dpkg --install /tmp/new.deb >&2
VERSION > /dev/null && ADD slow '{"cniVersion":"1.0.0","name":"n","type":"slow"}'
dpkg --purge cni-passthrough >&2
[ "$before" = "$(stat -c '%i %Y %s' /usr/lib/cni/slow)" ] && ls -A /usr/lib/cni | grep passthrough || echo nothing is left
`)
      const answer = `{"cniVersion":"1.0.0","name":"n","type":"slow"}\n`
      assert.strictEqual(printed, `${answer}${answer}nothing is left\n`)
    })

    it("stays as long as a network calls the plugin, and says which", () => {
      const printed = onHost(`
dpkg --install /tmp/new.deb >&2
echo '{ "cniVersion": "1.0.0", "name": "pods", "plugins": [{ "type": "bridge" }, { "type": "passthrough" }] }' > /etc/cni/net.d/10-pods.conflist
{ dpkg --remove cni-passthrough 2>&1 || true; } | grep -F 10-pods.conflist
VERSION > /dev/null
rm /etc/cni/net.d/10-pods.conflist
dpkg --remove cni-passthrough >&2
[ ! -e /usr/lib/cni/passthrough ] && echo removed
`)
      assert.strictEqual(printed, "  the network in /etc/cni/net.d/10-pods.conflist calls it\nremoved\n")
    })

    it("changes nothing when its removal is refused, and asks no variable of the administrator where to look", () => {
      const printed = onHost(`
dpkg --install /tmp/new.deb >&2
cni-passthrough wrap slow --dir /usr/lib/cni --log /tmp/log >&2
stub() { head -c 2 /usr/lib/cni/slow | grep -c '#!' || true; [ -e /usr/lib/cni/.passthrough/plugins/slow ] && echo wrapped || echo as it was; }
export CNI_PATH=/nowhere NETCONFPATH=/nowhere
echo '{ "cniVersion": "1.0.0", "name": "pods", "plugins": [{ "type": "bridge" }, { "type": "passthrough" }] }' > /etc/cni/net.d/10-pods.conflist
{ dpkg --remove cni-passthrough 2>&1 || true; } | grep -cF 10-pods.conflist
stub
rm /etc/cni/net.d/10-pods.conflist
dpkg --remove cni-passthrough >&2
stub
[ ! -e /usr/lib/cni/passthrough ] && echo removed
`)
      assert.strictEqual(printed, "1\n1\nwrapped\n1\nas it was\nremoved\n")
    })

    it("unwraps when it is removed, also a folder that only --dir has named", () => {
      const printed = onHost(`
dpkg --install /tmp/new.deb >&2
mkdir /tmp/other
cp /usr/lib/cni/slow /tmp/other/slow
cni-passthrough wrap slow --dir /tmp/other --log /tmp/log >&2
cat /var/lib/cni-passthrough/wrapped
dpkg --remove cni-passthrough >&2
cmp /usr/lib/cni/slow /tmp/other/slow && echo as it was
[ ! -e /var/lib/cni-passthrough ] && echo nothing is left
`)
      assert.strictEqual(printed, "/tmp/other\nas it was\nnothing is left\n")
    })

    it("is removed without /proc where nothing is left of it, and says what it needs where something is", () => {
      const printed = onHost(`
dpkg --install /tmp/new.deb >&2
cni-passthrough wrap slow --dir /usr/lib/cni --log /tmp/log >&2
mount -t tmpfs tmpfs /proc
{ dpkg --remove cni-passthrough 2>&1 || true; } | grep -oF 'unwrap needs /proc'
umount /proc
cni-passthrough unwrap >&2
mount -t tmpfs tmpfs /proc
echo '{ "plugins": [{ "type": "passthrough" }] }' > '/etc/cni/net.d/10 my  pods.conflist'
{ dpkg --remove cni-passthrough 2>&1 || true; } | grep -F '10 my  pods.conflist'
rm /etc/cni/net.d/*.conflist
dpkg --remove cni-passthrough >&2
[ ! -e /usr/lib/cni/passthrough ] && echo removed
`)
      assert.strictEqual(printed, "unwrap needs /proc\n/etc/cni/net.d/10 my  pods.conflist\nremoved\n")
    })

    it("does not write over a program of the same name that no package has", () => {
      const printed = onHost(`
printf '#!/bin/sh\necho mine\n' > /usr/lib/cni/passthrough
chmod 755 /usr/lib/cni/passthrough
{ dpkg --install /tmp/new.deb 2>&1 || true; } | grep -oF '/usr/lib/cni/passthrough is another program'
/usr/lib/cni/passthrough
`)
      assert.strictEqual(printed, "/usr/lib/cni/passthrough is another program\nmine\n")
    })
  })
}

if (isStandalone) describe.skip("a release", suite)
else describeWith(["dpkg"], "a release", suite)
