/** A host and a container to be changed: two network namespaces of a test. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import { nodeProcessRunner } from "../../src/exec/NodeProcessRunner.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as Netns from "../support/netns.ts"

export const places = ["host", "container"] as const

export type Place = typeof places[number]

export interface Namespaces {
  /** The file of the container's namespace. */
  readonly netns: string
  /** Its name, as `ip` takes it. */
  readonly container: string
  /** Runs programs in the namespace of the host that are not sent into another one. */
  readonly runner: ProcessRunner["Service"]
  /** A command line that runs a program in one of the two. */
  readonly within: (place: Place, command: string) => string
  /** Runs a script, or says what went wrong. */
  readonly run: (script: string) => string
  readonly [Symbol.dispose]: () => void
}

const shell = (script: string): string => {
  const { status, stderr, stdout } = ChildProcess.spawnSync("/bin/sh", ["-eu"], { encoding: "utf8", input: script })
  if (status !== 0) throw new Error(`exit status ${status}: ${stderr}\n${script.slice(0, 4000)}`)
  return stdout
}

/** Makes both. */
export const make = (): Namespaces => {
  const suffix = Math.random().toString(36).slice(2, 8)
  const names = { host: `state-h-${suffix}`, container: `state-c-${suffix}` } as const
  const file = (place: Place) => `/run/netns/${names[place]}`
  const within = (place: Place, command: string) => `nsenter --net=${file(place)} -- ${command}`
  for (const place of places) {
    shell(`ip netns add ${names[place]}
${within(place, "sh -eu")} <<'END'
${Netns.unconfigured}
ip link set lo up
END`)
  }
  return {
    netns: file("container"),
    container: names.container,
    within,
    run: shell,
    runner: ProcessRunner.of({
      run: (invocation) =>
        nodeProcessRunner.run(
          invocation.argv[0].endsWith("/nsenter")
            ? invocation
            : { ...invocation, argv: ["nsenter", `--net=${file("host")}`, "--", ...invocation.argv] }
        )
    }),
    [Symbol.dispose]: () => {
      for (const place of places) shell(`ip netns del ${names[place]}`)
    }
  }
}

/** Makes what is gone with the test, also where that fails. */
export const during = <A extends Disposable>(make: () => A): Effect.Effect<A, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.sync(make), (made) => Effect.sync(() => made[Symbol.dispose]()))
