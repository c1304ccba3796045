/** The policies beside this executable, and where folders really are. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { policiesLive } from "../../../src/plugin/live/PoliciesLive.ts"
import * as Policy from "../../../src/plugin/Policy.ts"
import { replaced } from "../../support/builtins.ts"
import { temporary } from "../../support/plugin.ts"
import { itAsRoot } from "../../support/requirements.ts"

const script = process.argv[1]

afterEach(() => {
  process.argv[1] = script ?? ""
})

/** An executable of ours in a folder of its own. */
const installed = (folder = "bin") => {
  const root = temporary()
  const bin = `${Fs.realpathSync(root.path)}/${folder}`
  Fs.mkdirSync(bin, { recursive: true })
  Fs.writeFileSync(`${bin}/passthrough`, "")
  process.argv[1] = `${bin}/passthrough`
  const file = `${bin}/${Policy.fileName}`
  const write = (text: string, mode = 0o644) => {
    Fs.writeFileSync(file, text)
    Fs.chmodSync(file, mode)
  }
  return { root: Fs.realpathSync(root.path), bin, file, write, [Symbol.dispose]: root[Symbol.dispose] }
}

const read = () => Effect.runSync(policiesLive.read)

describe("the policies of a host", () => {
  it("are none where no file is beside the executable", () => {
    using _ = installed()
    assert.deepStrictEqual(read(), [])
  })

  it("are that beside the executable, whatever link it was called by", () => {
    using host = installed()
    host.write(`{"hooks":false}`)
    const policy = { file: host.file, hooks: false, logFolders: undefined }
    assert.deepStrictEqual(read(), [policy])
    Fs.mkdirSync(`${host.root}/elsewhere`)
    Fs.symlinkSync(`${host.bin}/passthrough`, `${host.root}/elsewhere/passthrough`)
    Fs.writeFileSync(`${host.root}/elsewhere/${Policy.fileName}`, "{}")
    process.argv[1] = `${host.root}/elsewhere/passthrough`
    assert.deepStrictEqual(read(), [policy])
  })

  itAsRoot("are that beside an executable which was removed", () => {
    using host = installed()
    host.write("{}")
    Fs.rmSync(`${host.bin}/passthrough`)
    assert.deepStrictEqual(read(), [{ file: host.file, hooks: true, logFolders: undefined }])
  })

  it("are those in our folder and in the folder of plugins that has it", () => {
    using host = installed("bin/.passthrough")
    host.write("{}")
    const outer = `${host.root}/bin/${Policy.fileName}`
    Fs.writeFileSync(outer, `{"hooks":false}`)
    assert.deepStrictEqual(read().map(({ file }) => file), [host.file, outer])
    Fs.rmSync(host.file)
    assert.deepStrictEqual(read().map(({ file }) => file), [outer])
  })

  const broken: { readonly [name: string]: readonly [spoil: (file: string) => void, problem: string] } = {
    "a symbolic link": [(file) => {
      Fs.renameSync(file, `${file}.real`)
      Fs.symlinkSync(`${file}.real`, file)
    }, "it is a symbolic link"],
    "a symbolic link to nothing": [(file) => {
      Fs.rmSync(file)
      Fs.symlinkSync("nothing", file)
    }, "it is a symbolic link"],
    "a folder": [(file) => {
      Fs.rmSync(file)
      Fs.mkdirSync(file)
    }, "it is not a regular file"],
    "a FIFO": [(file) => {
      Fs.rmSync(file)
      ChildProcess.execFileSync("mkfifo", [file])
    }, "it is not a regular file"],
    "too long": [
      (file) => Fs.writeFileSync(file, `{}${" ".repeat(65_535)}`),
      "it has 65537 bytes, expected at most 65536"
    ],
    "no JSON object": [(file) => Fs.writeFileSync(file, "[]"), "it is not a JSON object"],
    "for others to write": [
      (file) => Fs.chmodSync(file, 0o602),
      "it has mode 0602, expected one that lets no other user write it"
    ],
    "for a group to write": [
      (file) => Fs.chmodSync(file, 0o4420),
      "it has mode 4420, expected one that lets no other user write it"
    ]
  }
  for (const [name, [spoil, problem]] of Object.entries(broken)) {
    it(`forbid everything where one is ${name}`, () => {
      using host = installed()
      host.write("{}")
      spoil(host.file)
      assert.deepStrictEqual(read(), [{ file: host.file, problem }])
    })
  }

  it("may be as long as 65536 bytes, and be written by their owner alone", () => {
    using host = installed()
    host.write(`{}${" ".repeat(65_534)}`, 0o755)
    assert.deepStrictEqual(read(), [{ file: host.file, hooks: true, logFolders: undefined }])
  })

  itAsRoot("may be the owner's of the executable, and no third user's", () => {
    using host = installed()
    host.write("{}")
    Fs.chownSync(host.file, 65_533, 0)
    const problem = "it belongs to the user 65533, expected root or the owner of the plugin"
    assert.deepStrictEqual(read(), [{ file: host.file, problem }])
    Fs.chownSync(`${host.bin}/passthrough`, 65_533, 0)
    assert.deepStrictEqual(read(), [{ file: host.file, hooks: true, logFolders: undefined }])
    Fs.chownSync(host.file, 0, 0)
    assert.deepStrictEqual(read(), [{ file: host.file, hooks: true, logFolders: undefined }])
  })

  itAsRoot(
    "may be the owner's of the root, who is root on the host of a user namespace, and root's all the same",
    () => {
      using host = installed()
      host.write("{}")
      Fs.chownSync(`${host.bin}/passthrough`, 65_531, 0)
      using _ = replaced("statSync", (original) => (...args) => {
        const stat = Reflect.apply(original, Fs, args)
        return args[0] === "/" ? Object.assign(stat, { uid: 65_533 }) : stat
      })
      const policy = { file: host.file, hooks: true, logFolders: undefined }
      assert.deepStrictEqual(read(), [policy])
      Fs.chownSync(host.file, 65_533, 0)
      assert.deepStrictEqual(read(), [policy])
      Fs.chownSync(host.file, 65_532, 0)
      assert.notDeepEqual(read(), [policy])
    }
  )

  it("leave no descriptor open", () => {
    using host = installed()
    host.write("{}")
    const count = () => Fs.readdirSync("/proc/self/fd").length
    const before = count()
    read()
    Fs.chmodSync(host.file, 0o666)
    read()
    assert.strictEqual(count(), before)
  })

  it("cannot be told where their folder cannot be looked at", () => {
    using host = installed()
    process.argv[1] = `${host.bin}/passthrough/below`
    const [policy] = read()
    assert.deepInclude(policy, { file: `${host.bin}/passthrough/${Policy.fileName}` })
    assert.match(policy !== undefined && "problem" in policy ? policy.problem : "", /^ENOTDIR/)
  })
})

describe("the real place of a folder", () => {
  it("is where its symbolic links lead, as far as it is there", () => {
    using host = installed()
    Fs.symlinkSync("bin", `${host.root}/link`)
    Fs.symlinkSync("nothing", `${host.root}/broken`)
    const places = {
      [host.bin]: host.bin,
      [`${host.root}/link`]: host.bin,
      [`${host.root}/link/new/deep`]: `${host.bin}/new/deep`,
      [`${host.root}/new`]: `${host.root}/new`,
      "/": "/",
      "/no-such-folder": "/no-such-folder",
      [`${host.root}/broken`]: undefined,
      [`${host.root}/broken/new`]: undefined
    }
    for (const [folder, real] of Object.entries(places)) {
      assert.strictEqual(policiesLive.realFolder(folder), real, folder)
    }
  })
})
