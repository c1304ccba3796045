/** The image: nothing in it that is not needed, and what it puts on a host with musl. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { isStandalone, records, repository } from "../support/plugin.ts"
import { describeWith } from "../support/requirements.ts"
import * as Scripts from "../support/scripts.ts"
import * as Image from "./support/image.ts"
import * as Podman from "./support/podman.ts"
import * as Sandbox from "./support/sandbox.ts"

/** The root of a host as Alpine has it: musl and busybox. */
const makeAlpine = (root: string): void => {
  for (const folder of ["bin", "lib", "opt/cni/bin", "proc", "tmp", "var/log"]) {
    Fs.mkdirSync(Path.join(root, folder), { recursive: true })
  }
  Fs.copyFileSync("/bin/busybox", `${root}/bin/busybox`)
  Fs.symlinkSync("busybox", `${root}/bin/sh`)
  Fs.copyFileSync("/lib/ld-musl-x86_64.so.1", `${root}/lib/ld-musl-x86_64.so.1`)
  Fs.symlinkSync("/lib/ld-musl-x86_64.so.1", `${root}/lib/libc.musl-x86_64.so.1`)
  Scripts.plugin(`${root}/opt/cni/bin/demo`, ["1.0.0"])
}

const script = `
${Podman.setUp}
podman load --quiet --input /tmp/image.tar >&2
image=localhost/cni-passthrough:$1
id=$(podman create $image)
podman export $id | tar -t | grep -v /$ | sort > /tmp/files
podman rm $id >&2
podman inspect --format '{{json .Config.Labels}}' $image > /tmp/labels
podman run --rm --network none --read-only $image --version

mount --bind /proc /tmp/alpine/proc
at_host() {
  podman run --rm --network none --read-only --pid host --cap-drop all --cap-add SYS_CHROOT,CHOWN,FOWNER,DAC_OVERRIDE \\
    --volume /tmp/alpine:/host:rslave $image "$@" --host-root /host --dir /host/opt/cni/bin
}
VERSION() { CNI_COMMAND=VERSION chroot /tmp/alpine /opt/cni/bin/demo <<< '{}'; }
at_host wrap demo --log /host/var/log/cni.jsonl >&2
VERSION
ls -A /tmp/alpine/opt/cni/bin/.passthrough | sort
at_host unwrap >&2
VERSION
ls -A /tmp/alpine/opt/cni/bin
`

describe.skipIf(isStandalone)("the image", () => {
  describeWith(["podman", "runc", "busybox-static", "musl", "g++", "patchelf"], "built from nothing", () => {
    const { version } = JSON.parse(Fs.readFileSync(Path.join(repository, "package.json"), "utf8"))
    const answer = `{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}`
    let sandbox: Sandbox.Sandbox
    let printed: ReadonlyArray<string>
    beforeAll(() => {
      sandbox = Sandbox.make()
      Fs.renameSync(Image.build(Path.dirname(sandbox.tmp)), Path.join(sandbox.tmp, "image.tar"))
      makeAlpine(Path.join(sandbox.tmp, "alpine"))
      printed = sandbox.run(script.replace("$1", version)).trim().split("\n")
    })
    afterAll(() => sandbox[Symbol.dispose]())

    it("has the command, the plugin for both C libraries, the libraries that these need, and nothing else", () => {
      const files = Fs.readFileSync(Path.join(sandbox.tmp, "files"), "utf8").trim().split("\n")
      const own = files.filter((file) => !/^lib(?:64)?\//.test(file))
      assert.deepStrictEqual(own.sort(), [
        "THIRD_PARTY_NOTICES",
        "cni-passthrough",
        "musl/.libstdc++.so",
        "musl/passthrough",
        "passthrough"
      ])
      const libraries = files.filter((file) => !own.includes(file)).map((file) => Path.basename(file))
      assert.deepStrictEqual(libraries.sort(), [
        "ld-linux-x86-64.so.2",
        "libc.so.6",
        "libdl.so.2",
        "libm.so.6",
        "libpthread.so.0"
      ])
    })

    it("has nothing in it of the time when it was built, and of who built it", () => {
      const archive = Path.join(sandbox.tmp, "image.tar")
      const list = (file: string, ...options: ReadonlyArray<string>) =>
        ChildProcess.execFileSync("tar", ["--utc", "--full-time", "--numeric-owner", ...options, "-tvf", file], {
          encoding: "utf8"
        }).trim().split("\n")
      const layout = Path.join(sandbox.tmp, "layout")
      Fs.mkdirSync(layout)
      ChildProcess.execFileSync("tar", ["-C", layout, "-xf", archive])
      const read = (name: string) => JSON.parse(Fs.readFileSync(Path.join(layout, name), "utf8"))
      const blob = ({ digest }: { readonly digest: string }) => `blobs/${digest.replace(":", "/")}`
      const { config, layers } = read(blob(read("index.json").manifests[0]))
      assert.strictEqual(read(blob(config)).created, "1970-01-01T00:00:00Z")
      const entries = [
        ...list(archive),
        ...layers.flatMap((layer: never) => list(Path.join(layout, blob(layer)), "-z"))
      ]
      for (const entry of entries) {
        assert.match(entry, /^(?:drwxr-xr-x|-rw[x-]r-[x-]r-[x-]|lrwxrwxrwx) 0\/0 +\d+ 1970-01-01 00:00:00 /)
      }
    })

    it("says what it is, by its labels and its own command", () => {
      const labels = JSON.parse(Fs.readFileSync(Path.join(sandbox.tmp, "labels"), "utf8"))
      assert.include(labels, {
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.licenses": "MIT"
      })
      assert.strictEqual(printed[0], `cni-passthrough ${version}`)
    })

    it("wraps plugins of a host with musl with an executable that runs there", () => {
      assert.deepStrictEqual(printed.slice(1, 8), [
        answer,
        ".libstdc++.so",
        "config.json",
        "passthrough",
        "plugins",
        "stubs",
        answer
      ])
      const [request, plugin] = records(Path.join(sandbox.tmp, "alpine/var/log/cni.jsonl"))
      assert.deepInclude(request, { event: "request", label: "demo", command: "VERSION" })
      assert.deepInclude(plugin, { event: "plugin", label: "demo" })
    })

    it("leaves nothing there when it unwraps them", () => {
      assert.deepStrictEqual(printed.slice(8), ["demo"])
    })
  })
})
