/** A folder of plugins to wrap, and what runs around them. */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Stub from "../../src/wrap/Stub.ts"
import { temporary } from "./plugin.ts"
import * as Scripts from "./scripts.ts"

/** What `bridge` and the other plugins of {@link make} answer VERSION with. */
const answer = (name: string) => `echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"],"of":"${name}"}'`

/**
 * Writes what runs around wrapped plugins: a shell script that does no more than to find the plugin. Called by its own
 * name it is our plugin; called through a stub it becomes the plugin that the stub stands for.
 */
export const around = (path: string): string =>
  Scripts.script(
    path,
    `own=\${0%/*} # without another program, as some tests call it hundreds of times
if [ $# -eq 0 ]; then
  [ -n "$CNI_COMMAND" ] || exec echo "CNI plugin passthrough v1" >&2
  exec echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}'
fi
name=\${1##*/}
[ -e "$own/plugins/$name" ] && exec "$own/plugins/$name"
echo "there is no plugin $name" >&2
exit 99`
  )

/** A plugin as it lies in its folder: whatever changes of it is a difference. */
const identity = (file: string) => {
  const { gid, ino, mode, mtimeMs, nlink, uid } = Fs.lstatSync(file)
  return { gid, ino, mode, mtimeMs, nlink, uid }
}

/** What a call of a plugin gives a runtime. */
export const call = (file: string) => {
  const { status, stderr, stdout } = ChildProcess.spawnSync(file, {
    env: { PATH: "/usr/bin:/bin", CNI_COMMAND: "VERSION" },
    input: "{}",
    encoding: "utf8",
    timeout: 300_000
  })
  return { status, stderr, stdout }
}

/** A folder with a plugin, another with two names, and a link to the first one. */
export const make = () => {
  const root = temporary()
  const folder = `${Fs.realpathSync(root.path)}/bin`
  Fs.mkdirSync(folder)
  Scripts.script(`${folder}/bridge`, answer("bridge"))
  Scripts.script(`${folder}/calico`, answer("calico"))
  Fs.linkSync(`${folder}/calico`, `${folder}/calico-ipam`)
  Fs.symlinkSync("bridge", `${folder}/weave-net`)
  const names = () => Fs.readdirSync(folder).filter((name) => !name.startsWith(".")).sort()
  return {
    root: root.path,
    folder,
    at: Stub.places(folder),
    built: around(`${root.path}/passthrough`),
    /** All that lies in the folder, and what it is. */
    state: () => Object.fromEntries(Fs.readdirSync(folder).sort().map((name) => [name, identity(`${folder}/${name}`)])),
    /** What each plugin gives a runtime. */
    answers: () => Object.fromEntries(names().map((name) => [name, call(`${folder}/${name}`)])),
    /** All paths of ours in the folder. */
    ours: () => Fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path[0] === ".").sort(),
    [Symbol.dispose]: () => root[Symbol.dispose]()
  }
}

/** Lets time pass for an effect that waits for others, as fast as it can. */
export const hurried = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.raceFirst(
    effect,
    Effect.forever(Effect.andThen(
      Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1))),
      TestClock.adjust(50)
    ))
  )
