/** The flags that several commands have: what they take, what they refuse, and what they are where they are left out. */
import { assert, describe, it } from "@effect/vitest"
import type * as Argument from "effect/cli/Argument"
import * as CliCommand from "effect/cli/Command"
import type * as Flag from "effect/cli/Flag"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Flags from "../../src/cli/Flags.ts"
import * as Presenter from "../../src/cli/Presenter.ts"
import { kinds } from "../../src/network/StateKind.ts"
import * as Command from "../support/command.ts"

type Env = { readonly [name: string]: string }

/** The value of a flag or an argument on this command line, or what is wrong with it. */
const valueOf = Effect.fnUntraced(function*(
  param: Flag.Flag<unknown> | Argument.Argument<unknown>,
  args: ReadonlyArray<string>,
  env: Env = {}
) {
  let found: unknown
  const command = CliCommand.make("take", { param }, ({ param }) => Effect.sync(() => void (found = param)))
  const { status, stderr } = yield* Command.printed(command, ...args).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env })),
    Effect.provide(Presenter.layer)
  )
  return status === 0 ? found : stderr
})

const duration = "expected a duration such as 30s, 500ms or 1m30s"
const verbs = "expected one of ADD, DEL, CHECK, GC, STATUS, VERSION"
const all = kinds.join(", ")

const text = Flags.text("text", "A text")
const toggle = Flags.toggle("toggle", "A toggle")
const verb = Flags.verb("An operation")
const wait = Flags.duration("wait", "A while", "1m30s")
const until = Flags.optionalDuration("until", "A while")

const cases: {
  readonly [name: string]: readonly [
    param: Flag.Flag<unknown> | Argument.Argument<unknown>,
    args: string,
    value: unknown,
    env?: Env
  ]
} = {
  "a text": [text, "--text a=b", Option.some("a=b")],
  "a text that is left out": [text, "", Option.none()],
  "a toggle": [toggle, "--toggle", true],
  "a toggle that is left out": [toggle, "", false],
  "an operation": [verb, "--command CHECK", "CHECK"],
  "an operation in small letters": [verb, "--command check", "CHECK"],
  "an operation that CNI does not have": [verb, "--command adds", `error: --command: found "ADDS", ${verbs}\n`],
  "a length of time": [wait, "--wait 1.5s", 1500],
  "a length of time that is left out": [wait, "", 90_000],
  "no time at all": [wait, "--wait 0", 0],
  "a length of time without a unit": [wait, "--wait 3", `error: --wait: found "3", ${duration}\n`],
  "a length of time that may be left out": [until, "--until 2m", Option.some(120_000)],
  "a length of time that may be left out, and is": [until, "", Option.none()],
  "the shortest length of time": [until, "--until 1ms", Option.some(1)],
  "no time at all, where some is needed": [
    until,
    "--until 0s",
    "error: --until: found no time at all, expected a duration such as 30m or 1h\n"
  ],
  "a word in place of a length of time": [until, "--until soon", `error: --until: found "soon", ${duration}\n`],
  "kinds of changes, in their usual order": [Flags.changes, "--changes=ipam,links", ["links", "ipam"]],
  "changes without kinds": [Flags.changes, "--changes", kinds],
  "changes that are left out": [Flags.changes, "", []],
  "a kind that there is not": [
    Flags.changes,
    "--changes=links,colours",
    `error: --changes: found "colours", expected some of ${all}, with commas\n`
  ],
  "a folder": [Flags.folder("to"), "--to /a/../b/", "/b"],
  "a folder below the current one": [Flags.folder("to"), "--to b", `${process.cwd()}/b`],
  "a file": [Flags.file("log"), "--log /a//b", "/a/b"],
  "a file below the current folder": [Flags.file("log"), "--log b", `${process.cwd()}/b`],
  "a file as an argument": [Flags.fileArgument("file"), "b", `${process.cwd()}/b`],
  "a file or a name, as it stands": [Flags.fileOrName("network"), "./b/", "./b/"],
  "folders of plugins": [Flags.cniPath, "--cni-path /a::/b:", ["/a", "/b"]],
  "folders of plugins that are left out": [Flags.cniPath, "", ["/opt/cni/bin", "/usr/lib/cni"]],
  "folders of plugins of the environment": [Flags.cniPath, "", ["/c"], { CNI_PATH: "/c" }],
  "folders of plugins, though there are others in the environment": [
    Flags.cniPath,
    "--cni-path /a",
    ["/a"],
    { CNI_PATH: "/c" }
  ],
  "no folder of plugins": [
    Flags.cniPath,
    "--cni-path :",
    "error: --cni-path: found no folder, expected at least one\n"
  ],
  "a folder of configurations": [Flags.confDir, "--conf-dir /a", "/a"],
  "a folder of configurations that is left out": [Flags.confDir, "", "/etc/cni/net.d"],
  "a folder of configurations of the environment": [Flags.confDir, "", "/c", { NETCONFPATH: "/c" }],
  "a folder of results": [Flags.cacheDir, "--cache-dir /a", "/a"],
  "a folder of results that is left out": [Flags.cacheDir, "", "/var/lib/cni"]
}

describe("a command line with", () => {
  for (const [name, [param, args, value, env]] of Object.entries(cases)) {
    it.effect(name, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* valueOf(param, args.split(" ").filter((word) => word !== ""), env), value)
      }).pipe(Effect.provide(Command.host)))
  }
})
