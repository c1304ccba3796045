/** What people download: each file is installed and used as they would. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { isStandalone, path, records, repository, temporary } from "../support/plugin.ts"
import { describeWith } from "../support/requirements.ts"
import * as Scripts from "../support/scripts.ts"
import { arm64 } from "./support/arm64.ts"
import { release, unpack } from "./support/release.ts"
import * as Sandbox from "./support/sandbox.ts"

const { version } = JSON.parse(Fs.readFileSync(Path.join(repository, "package.json"), "utf8"))

const run = (
  program: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd?: string; readonly env?: object } = {}
) => {
  const { status, stderr, stdout } = ChildProcess.spawnSync(program, args, {
    cwd: options.cwd ?? "/",
    env: { PATH: path, ...options.env },
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

const suite = () => {
  let folder: ReturnType<typeof temporary>
  let again: ReturnType<typeof temporary>
  const file = (name: string) => Path.join(folder.path, name)
  beforeAll(() => {
    folder = temporary()
    release(folder.path, "--fast", "x64", "arm64")
    again = temporary()
    release(again.path, "x64")
  })
  afterAll(() => {
    folder[Symbol.dispose]()
    again[Symbol.dispose]()
  })

  it("has the same bytes when it is made again", () => {
    const [first, second] = [sums(folder.path), sums(again.path)]
    const others = [`cni-passthrough-${version}-linux-x64.tar.gz`, `cni-passthrough-${version}.cdx.json`]
    others.push(`cni-passthrough-${version}.tgz`)
    assert.deepStrictEqual(Object.keys(second).sort(), [...others, `cni-passthrough_${version}_amd64.deb`])
    for (const name of others) assert.strictEqual(first[name], second[name], name)
    run("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: folder.path })
  })

  it("has a small Debian package, with the same in it as the one that is made fast", () => {
    const [fast, small] = [folder, again].map(({ path }) => Path.join(path, `cni-passthrough_${version}_amd64.deb`))
    for (const part of ["--fsys-tarfile", "--ctrl-tarfile"]) {
      const digest = (file = "") => run("sh", ["-c", `dpkg-deb ${part} "$0" | sha256sum`, file])
      assert.strictEqual(digest(small), digest(fast), part)
    }
    assert.isAtMost(Fs.statSync(small ?? "").size, 45_000_000)
  })

  it("names the packages that the executables are made of", () => {
    const { components } = JSON.parse(Fs.readFileSync(file(`cni-passthrough-${version}.cdx.json`), "utf8"))
    const names = components.map(({ purl }: { readonly purl: string }) =>
      decodeURIComponent(purl).replace(/@[^@]+$/, "")
    )
    for (const name of ["effect", "jsonc-parser", "@effect/platform-node", "@oven/bun-linux-x64-musl"]) {
      assert.include(names, `pkg:npm/${name}`)
    }
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
    using clone = temporary()
    const tracked = run("git", ["ls-files", "-z"], { cwd: repository }).split("\0").filter((name) => name !== "")
    for (const name of tracked) Fs.cpSync(Path.join(repository, name), Path.join(clone.path, name))
    Fs.symlinkSync(Path.join(repository, "node_modules"), Path.join(clone.path, "node_modules"))
    Fs.utimesSync(Path.join(clone.path, "package-lock.json"), 0, 0) // the packages are installed
    run("npm", ["pack", "--silent"], { cwd: clone.path, env: { HOME: clone.path } })
    const listed = run("tar", ["-tzf", `cni-passthrough-${version}.tgz`], { cwd: clone.path }).split("\n")
    assert.includeMembers(listed, ["package/dist/passthrough", "package/dist/lib/index.js"])
  })

  it("has an npm package that is a library and a command", () => {
    using project = temporary()
    Fs.writeFileSync(`${project.path}/package.json`, `{ "type": "module" }`)
    run("npm", ["install", "--offline", "--legacy-peer-deps", file(`cni-passthrough-${version}.tgz`)], {
      cwd: project.path,
      env: { HOME: project.path }
    })
    assert.strictEqual(
      run(`${project.path}/node_modules/.bin/cni-passthrough`, ["--version"]),
      `cni-passthrough ${version}\n`
    )
    for (const name of ["effect", "@effect", "@types"]) {
      Fs.symlinkSync(Path.join(repository, "node_modules", name), `${project.path}/node_modules/${name}`)
    }
    Fs.writeFileSync(`${project.path}/plugin.ts`, library)
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--types", "node"]
    run(Path.join(repository, "node_modules/.bin/tsc"), [...options, "--skipLibCheck", "plugin.ts"], {
      cwd: project.path
    })
    const printed = run("node", ["plugin.ts"], { cwd: project.path, env: { CNI_COMMAND: "VERSION" } })
    assert.match(printed, /^\{"cniVersion":"1\.1\.0","supportedVersions":\[[^]*\]\}$/)
    assert.match(Fs.readFileSync(`${project.path}/records`, "utf8"), /"event":"request"[^]*"event":"result"/)
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
dpkg-deb --raw-extract /tmp/new.deb /tmp/older
sed -i 's/^Version: .*/Version: 0.9.0/' /tmp/older/DEBIAN/control
mkdir /tmp/older/usr/lib/cni-passthrough # where the command once was a file of its own
cp /tmp/older/usr/lib/cni/passthrough /tmp/older/usr/lib/cni-passthrough/cni-passthrough
ln -s ../cni/passthrough /tmp/older/usr/lib/cni-passthrough/passthrough
ln -sf ../lib/cni-passthrough/cni-passthrough /tmp/older/usr/bin/cni-passthrough
dpkg-deb -Znone --root-owner-group --build /tmp/older /tmp/older.deb >&2
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
dpkg --remove cni-passthrough >&2
[ ! -e /usr/lib/cni/passthrough ] && echo removed
`)
      assert.strictEqual(printed, "unwrap needs /proc\nremoved\n")
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
