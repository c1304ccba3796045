/** File systems that a test mounts, and unmounts when it ends. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { temporary } from "./plugin.ts"

/** Mounts a file system. */
export const mount = (type: string, path: string, options = "rw"): { readonly [Symbol.dispose]: () => void } => {
  ChildProcess.execFileSync("mount", ["-i", "-t", type, "-o", options, "none", path])
  return { [Symbol.dispose]: () => void ChildProcess.execFileSync("umount", ["-l", path]) }
}

/** Mounts a file system whose server has ended: each access of it fails at once. */
export const mountDead = (path: string): { readonly [Symbol.dispose]: () => void } => {
  const device = Fs.openSync("/dev/fuse", "r+")
  try {
    const options = "fd=3,rootmode=40000,user_id=0,group_id=0"
    ChildProcess.execFileSync("mount", ["-i", "-t", "fuse", "-o", options, "none", path], {
      stdio: ["ignore", "ignore", "inherit", device]
    })
  } finally {
    Fs.closeSync(device)
  }
  return { [Symbol.dispose]: () => void ChildProcess.execFileSync("umount", ["-l", path]) }
}

/** A folder that is not in memory, and in which reading leaves no trace: it does not show whether it responds. */
export const silent = () => {
  const folder = temporary()
  const memory = mount("tmpfs", folder.path)
  const [lower, upper, work, path] = ["lower", "upper", "work", "mounted"].map((name) => {
    Fs.mkdirSync(Path.join(folder.path, name))
    return Path.join(folder.path, name)
  }) as [string, string, string, string]
  const overlay = mount("overlay", path, `noatime,lowerdir=${lower},upperdir=${upper},workdir=${work}`)
  return {
    path,
    [Symbol.dispose]: () => {
      overlay[Symbol.dispose]()
      memory[Symbol.dispose]()
      folder[Symbol.dispose]()
    }
  }
}
