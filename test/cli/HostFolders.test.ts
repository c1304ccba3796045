/** The folders that a command line leaves out. */
import { assert, describe, it } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as HostFolders from "../../src/cli/HostFolders.ts"
import * as Discovery from "../../src/runtime/Discovery.ts"
import * as Command from "../support/command.ts"

const runtime = (
  name: string,
  pluginFolders: ReadonlyArray<string> | undefined,
  confDir: string
): Discovery.Runtime => ({
  name,
  pluginFolders,
  confDir,
  source: "its default",
  version: undefined,
  endpoint: undefined,
  programFolder: undefined,
  configFile: undefined,
  loaded: undefined
})

const command = HostFolders.command(
  "folders",
  { cniPath: HostFolders.cniPath, confDir: HostFolders.confDir },
  ({ cniPath, confDir }) => Console.log(`${confDir} ${cniPath.join(":")}`)
)

/** The folders that a command gets on a host with these runtimes. */
const folders = (runtimes: ReadonlyArray<Discovery.Runtime>, ...args: ReadonlyArray<string>) =>
  Command.printed(command, ...args).pipe(
    Effect.provideService(Discovery.Runtimes, Effect.succeed(runtimes)),
    Effect.provide(Command.host),
    Effect.map(({ stdout }) => stdout.trim())
  )

describe("folders that are left out", () => {
  const netavark = runtime("podman", undefined, "/n")
  const containerd = runtime("containerd", ["/a", "/b"], "/c")
  const nerdctl = runtime("nerdctl", ["/b", "/d"], "/e")

  it.effect("are those of the runtimes that call plugins, and the network configurations of the first", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* folders([netavark, containerd, nerdctl]), "/c /a:/b:/d")
    }))

  it.effect("are the usual ones where no runtime calls plugins", () =>
    Effect.gen(function*() {
      for (const runtimes of [[], [netavark]]) {
        assert.strictEqual(yield* folders(runtimes), "/etc/cni/net.d /opt/cni/bin:/usr/lib/cni")
      }
    }))

  it.effect("are only those that are left out", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* folders([containerd], "--cni-path", "/x"), "/c /x")
      assert.strictEqual(yield* folders([containerd], "--conf-dir", "/x"), "/x /a:/b")
    }))
})
