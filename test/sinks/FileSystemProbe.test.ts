/** Which file systems may hang, and how one shows that it does not. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as HostTools from "../../src/exec/HostTools.ts"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as FileSystemProbe from "../../src/sinks/FileSystemProbe.ts"
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
      assert.deepStrictEqual(calls, [{ argv: ["touch", "-c", "/logs"], env: {}, cwd: "/", until: "exit" }])
    }))
})
