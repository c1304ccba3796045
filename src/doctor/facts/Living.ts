/** What lives on the host: network namespaces of processes and names, and the processes of runtimes and plugins. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

/** Folders where runtimes keep network namespaces by name. */
const folders = ["/run/netns", "/run/docker/netns"]

const pids = Effect.fnUntraced(function*() {
  const fs = yield* FileSystem.FileSystem
  const names = yield* Effect.orElseSucceed(fs.readDirectory("/proc"), () => [])
  return names.filter((name) => /^\d+$/.test(name))
})

/** A path to each network namespace of the host but our own: one for those of several processes. */
export const namespaces = Effect.fnUntraced(function*() {
  const fs = yield* FileSystem.FileSystem
  const found = new Map<string, string>()
  for (const pid of yield* pids()) {
    const path = `/proc/${pid}/ns/net`
    const name = yield* Effect.orElseSucceed(fs.readLink(path), () => "")
    if (name !== "" && !found.has(name)) found.set(name, path)
  }
  const own = yield* Effect.orElseSucceed(fs.readLink("/proc/self/ns/net"), () => "")
  found.delete(own)
  for (const folder of folders) {
    for (const name of yield* Effect.orElseSucceed(fs.readDirectory(folder), () => [])) {
      const path = `${folder}/${name}`
      const info = yield* Effect.option(fs.stat(path))
      const ino = info._tag === "Some" && info.value.ino._tag === "Some" ? info.value.ino.value : undefined
      if (ino !== undefined && own !== `net:[${ino}]`) found.set(`net:[${ino}]`, path)
    }
  }
  return [...found.values()]
})

/**
 * What processes say of containers: command lines of runtimes, and the variables of plugins at work. Whether a container
 * ID is in it tells whether a process is at work for it.
 */
export const mentions = Effect.fnUntraced(function*() {
  const fs = yield* FileSystem.FileSystem
  const texts = yield* Effect.forEach(
    (yield* pids()).filter((pid) => pid !== String(process.pid)),
    Effect.fnUntraced(function*(pid) {
      const read = (name: string) => Effect.orElseSucceed(fs.readFileString(`/proc/${pid}/${name}`), () => "")
      const environment = yield* read("environ")
      const id = /(?:^|\0)CNI_CONTAINERID=([^\0]*)/.exec(environment)?.[1] ?? ""
      const line = yield* read("cmdline")
      return /cni-passthrough\0(?:doctor|leaks|run)/.test(line) ? id : `${id}\0${line}`
    }),
    { concurrency: 16 }
  )
  return texts.join("\0")
})
