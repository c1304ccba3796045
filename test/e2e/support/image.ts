/** The image, as `npm run image` builds it. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { path, repository } from "../../support/plugin.ts"

/** What building it needs of the host. */
export const needs = ["podman", "runc", "musl", "g++", "patchelf"] as const

/** Builds the image with a storage of its own, and returns its archive. */
export const build = (folder: string): string => {
  const storage = Path.join(folder, "storage.conf")
  const places = `runroot = "${folder}/runroot"\ngraphroot = "${folder}/graphroot"`
  Fs.writeFileSync(storage, `[storage]\ndriver = "vfs"\n${places}\n`)
  const printed = ChildProcess.execFileSync(process.execPath, [".ci/image/image.mjs", "--to", `${folder}/image`], {
    cwd: repository,
    env: { ...process.env, PATH: path, CONTAINERS_STORAGE_CONF: storage, TMPDIR: folder },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"]
  })
  return /^(\S+\.tar): \d+ MB$/m.exec(printed)?.[1] ?? ""
}
