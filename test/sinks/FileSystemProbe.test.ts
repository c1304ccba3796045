/** Which file systems may hang, and how one shows that it does not. */
import { afterAll, assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as HostTools from "../../src/exec/HostTools.ts"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as FileSystemProbe from "../../src/sinks/FileSystemProbe.ts"
import { unopenable } from "../support/builtins.ts"
import { named } from "../support/hostTools.ts"
import { mount, mountDead } from "../support/mounts.ts"
import { temporary } from "../support/plugin.ts"
import { itWithMounts } from "../support/requirements.ts"

describe("a folder on a file system that another process answers for", () => {
  for (const name of ["plain", "with space", "with\ttab and \\ and é世"]) {
    itWithMounts(`is known by the kernel's table of mounts where its path has ${JSON.stringify(name)}`, () => {
      using root = temporary()
      const folder = `${Fs.realpathSync(root.path)}/${name}`
      Fs.mkdirSync(folder)
      using _ = mountDead(folder)
      assert.deepStrictEqual(
        [folder, `${folder}/below/it`, `${folder}/../${name}`, root.path, `${folder} too`, `${folder}/..`].map(
          FileSystemProbe.isRemote
        ),
        [true, true, true, false, false, true]
      )
    })
  }

  itWithMounts("is known where a symbolic link leads there", () => {
    using root = temporary()
    Fs.mkdirSync(`${root.path}/folder`)
    Fs.symlinkSync("folder", `${root.path}/link`)
    using _ = mountDead(`${root.path}/folder`)
    assert.isTrue(FileSystemProbe.isRemote(`${root.path}/link/below`))
  })

  itWithMounts("counts no more where another file system covers it", () => {
    using root = temporary()
    using _dead = mountDead(root.path)
    assert.isTrue(FileSystemProbe.isRemote(root.path))
    using _above = mount("tmpfs", root.path)
    assert.isFalse(FileSystemProbe.isRemote(root.path))
  })

  itWithMounts("is none that the kernel answers for by itself", () => {
    using root = temporary()
    using _ = mount("fusectl", root.path)
    assert.isFalse(FileSystemProbe.isRemote(root.path))
  })
})

describe("a folder crosses a file system of another host or process", () => {
  /** A line of the kernel's table of mounts. */
  const mounted = (path: string, type: string) => `36 35 98:0 / ${path} rw,noatime master:1 - ${type} source rw`
  const isRemote = (folder: string, ...lines: ReadonlyArray<string>) =>
    FileSystemProbe.isRemoteBy([mounted("/", "ext4"), ...lines, ""].join("\n"), folder)
  const root = temporary()
  afterAll(() => root[Symbol.dispose]())

  it("where one is mounted there, or above", () => {
    const nfs = mounted(root.path, "nfs4")
    assert.deepStrictEqual([root.path, `${root.path}/a`, "/proc", "/"].map((folder) => isRemote(folder, nfs)), [
      true,
      true,
      false,
      false
    ])
  })

  it("where the root is one, whatever else is mounted", () => {
    assert.isTrue(FileSystemProbe.isRemoteBy(mounted("/", "fuse.sshfs"), "/proc"))
  })

  it("by the last of several on one path", () => {
    assert.isFalse(isRemote(root.path, mounted(root.path, "cifs"), mounted(root.path, "tmpfs")))
    assert.isTrue(isRemote(root.path, mounted(root.path, "tmpfs"), mounted(root.path, "cifs")))
  })

  it("whose path the kernel writes in escapes", () => {
    const folder = `${root.path}/a b`
    Fs.mkdirSync(folder)
    assert.isTrue(isRemote(folder, mounted(`${root.path}/a\\040b`, "ceph")))
  })

  it("by its type alone, which the control file system of FUSE does not have", () => {
    for (
      const [type, remote] of [["fuse.glusterfs", true], ["fusectl", false], ["9p", true], ["xfs", false]] as const
    ) {
      assert.strictEqual(isRemote(root.path, mounted(root.path, type)), remote, type)
    }
  })

  it("never where the kernel's table cannot be read", () => {
    using _ = unopenable(/^\/proc\/self\/mountinfo$/, "EMFILE")
    assert.isFalse(FileSystemProbe.isRemote(root.path))
  })
})

describe("a file system shows that it responds", () => {
  const at = (atimeMs: number) => ({ atimeMs }) as Fs.Stats
  const now = Date.UTC(2026, 10, 23)
  const responds = (before: number, after: number, path = "/proc") => {
    using _ = vi.spyOn(Date, "now").mockReturnValue(now)
    return FileSystemProbe.showsResponse(at(before), at(after), path)
  }

  it("where reading changed the time of access", () => {
    assert.isTrue(responds(now - 2000, now - 1000))
    assert.isFalse(responds(now - 1000, now - 1000))
  })

  it("where the last access is so recent that reading may have been it", () => {
    assert.deepStrictEqual([11, 12, 13, -11, -12].map((ago) => responds(now - ago, now - ago)), [
      true,
      false,
      false,
      true,
      false
    ])
  })

  for (const type of ["tmpfs", "ramfs"]) {
    itWithMounts(`where it is in memory, as ${type} is`, () => {
      using root = temporary()
      using _ = mount(type, root.path)
      assert.isTrue(responds(0, 0, root.path))
    })
  }
})

describe("the nearest folder that is there", () => {
  it("is the folder, or one above it", () => {
    using root = temporary()
    assert.strictEqual(FileSystemProbe.nearest(root.path), root.path)
    assert.strictEqual(FileSystemProbe.nearest(`${root.path}/a/b/c`), root.path)
    assert.strictEqual(FileSystemProbe.nearest("/no-such-folder/a"), "/")
    assert.strictEqual(FileSystemProbe.nearest("no-such-folder/a"), ".")
  })
})

describe("waiting for a file system", () => {
  it.effect("is waiting for a process that changes a folder there, whatever it says, and what it leaves behind", () =>
    Effect.gen(function*() {
      const calls: Array<unknown> = []
      const runner = ProcessRunner.of({
        run: (invocation) => {
          calls.push(invocation)
          return Effect.fail(new NotStarted({ program: "touch", reason: "why", code: "EAGAIN", cause: undefined }))
        }
      })
      yield* FileSystemProbe.wait("/log/../logs").pipe(
        Effect.provideService(ProcessRunner, runner),
        Effect.provideService(HostTools.HostTools, named)
      )
      assert.deepStrictEqual(calls, [{ argv: ["touch", "-c", "/logs"], env: {}, until: "exit" }])
    }))
})
