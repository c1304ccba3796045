/** Logs on file systems that hang: the plugin and the runtime wait for `logTimeout` and no longer. */
import { assert, describe } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { attachment, path, plugin, records, temporary } from "../support/plugin.ts"
import { itWithMounts } from "../support/requirements.ts"
import { wrapped } from "../support/shim.ts"

/** Far more than `logTimeout`, and far less than a hang, which ends when the file system is thawed. */
const patience = 30_000

const ended = (file: string, fields: object, command = "ADD") =>
  new Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string } | "hangs">(
    (resolve) => {
      const child = ChildProcess.spawn(file, { env: { PATH: path, ...attachment, CNI_COMMAND: command } })
      const output = { stdout: "", stderr: "" }
      for (const name of ["stdout", "stderr"] as const) child[name].on("data", (chunk) => (output[name] += chunk))
      const timer = setTimeout(() => resolve("hangs"), patience)
      child.on("close", (code) => {
        clearTimeout(timer)
        resolve({ code, ...output })
      })
      child.stdin.end(JSON.stringify({
        cniVersion: "1.1.0",
        name: "n",
        type: "passthrough",
        logFormat: "json",
        logTimeout: "300ms",
        ...fields
      }))
    }
  )

/** A file system of the test that can be frozen. It is thawed in the end, whatever happened. */
const freezable = () => {
  const folder = temporary()
  const [image, at] = [Path.join(folder.path, "image"), Path.join(folder.path, "mounted")]
  const shell = (command: string) => ChildProcess.execFileSync("sh", ["-c", command, "sh", image, at])
  Fs.mkdirSync(at)
  shell("truncate -s 16M \"$1\" && mkfs.ext4 -q \"$1\" && mount -o loop \"$1\" \"$2\"")
  let isFrozen = false
  return {
    at,
    freeze: () => {
      shell("fsfreeze -f \"$2\"")
      isFrozen = true
    },
    thaw: () => {
      shell("fsfreeze -u \"$2\"")
      isFrozen = false
    },
    [Symbol.dispose]: () => {
      if (isFrozen) shell("fsfreeze -u \"$2\"")
      shell("umount -l \"$2\"")
      folder[Symbol.dispose]()
    }
  }
}

describe("a log on a file system that is frozen", () => {
  const preparations: { readonly [name: string]: (log: string) => void } = {
    "that nobody has read since it was written": () => {},
    "that was read since it was written": (log) => void Fs.readFileSync(log),
    "that is empty": (log) => Fs.truncateSync(log),
    "that ends in the middle of a record": (log) => Fs.appendFileSync(log, "{"),
    "that has to be made": (log) => Fs.rmSync(log),
    "that has to be made in a folder which was read": (log) => {
      Fs.rmSync(log)
      Fs.readdirSync(Path.dirname(log))
    },
    "whose folder has to be made": (log) => Fs.rmSync(Path.dirname(log), { recursive: true })
  }
  for (const [name, prepare] of Object.entries(preparations)) {
    itWithMounts(`${name} does not hold ADD and DEL, and takes records again when it is thawed`, async () => {
      using disk = freezable()
      const logFile = Path.join(disk.at, "logs", "log")
      const fields = { logFile, onLogFailure: "ignore" }
      assert.deepInclude(await ended(plugin, fields), { code: 0, stderr: "" })
      prepare(logFile)
      await new Promise((resolve) => setTimeout(resolve, 100)) // the kernel's clock for files goes on
      disk.freeze()
      const [add, del, strict] = await Promise.all([
        ended(plugin, fields),
        ended(plugin, fields, "DEL"),
        ended(plugin, { logFile })
      ])
      disk.thaw()
      for (const run of [add, del]) {
        assert.deepInclude(run, { code: 0 })
        assert.match(run === "hangs" ? run : run.stderr, /cannot log this request: file "\S+": no answer in time/)
      }
      assert.strictEqual(strict === "hangs" ? strict : JSON.parse(strict.stdout).code, 5)
      assert.deepInclude(await ended(plugin, fields), { code: 0, stderr: "" })
      const last = Fs.readFileSync(logFile, "utf8").trimEnd().split("\n").at(-1) ?? ""
      assert.deepInclude(JSON.parse(last), { event: "result", command: "ADD" })
    }, 4 * patience)
  }

  itWithMounts("does not hold a wrapped plugin, and what it says is the same", async () => {
    using disk = freezable()
    const log = Path.join(disk.at, "log")
    const fields = { logSinks: [{ type: "file", path: log, format: "json" }], logTimeout: "300ms" }
    using demo = wrapped("cat; echo said >&2; exit 3", fields)
    const before = await ended(demo.file, {})
    Fs.readFileSync(log)
    disk.freeze()
    const frozen = await ended(demo.file, {})
    disk.thaw()
    assert.deepInclude(before, { code: 3, stderr: "said\n" })
    assert.deepStrictEqual(frozen, before)
    assert.include(records(log).map(({ event }) => event), "plugin")
  }, 4 * patience)
})

describe("a log on a file system that another process answers for", () => {
  itWithMounts("does not hold the plugin where that does not", async () => {
    using folder = temporary()
    Fs.symlinkSync("mounted", `${folder.path}/link`)
    Fs.mkdirSync(`${folder.path}/mounted`)
    const device = Fs.openSync("/dev/fuse", "r+")
    const options = "fd=3,rootmode=40000,user_id=0,group_id=0"
    ChildProcess.execFileSync("mount", ["-i", "-t", "fuse", "-o", options, "none", `${folder.path}/mounted`], {
      stdio: ["ignore", "ignore", "inherit", device]
    })
    try {
      for (const name of ["mounted/log", "link/log", "mounted/new/log"]) {
        const run = await ended(plugin, { logFile: `${folder.path}/${name}`, onLogFailure: "ignore" })
        assert.deepInclude(run, { code: 0 })
        assert.match(run === "hangs" ? run : run.stderr, /cannot log this request: file "\S+": no answer in time/)
      }
      const beside = `${folder.path}/beside`
      assert.deepInclude(await ended(plugin, { logFile: beside }), { code: 0, stderr: "" })
      assert.lengthOf(records(beside), 2)
    } finally {
      Fs.closeSync(device)
      ChildProcess.execFileSync("umount", ["-l", `${folder.path}/mounted`])
    }
  }, 4 * patience)
})
