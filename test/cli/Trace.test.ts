/** What `trace` refuses before it does anything. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { trace } from "../../src/cli/commands/Trace.ts"
import * as Presenter from "../../src/cli/Presenter.ts"
import { cached } from "../support/cache.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"

/** A cache without attachments. */
const folder = "/nowhere/cni"

const host = Layer.mergeAll(Command.host, Presenter.layer)

const refusals: ReadonlyArray<readonly [what: string, words: string, message: string]> = [
  ["nothing to trace", "web", "name what to trace: --to 192.0.2.1:80 sends, --port 8080 waits"],
  ["to send and to wait", "web --to 192.0.2.1:80 --port 80", "--to sends and --port waits: give only one of them"],
  ["both protocols", "web --to 192.0.2.1:80/tcp --udp", "--udp contradicts /tcp"],
  [
    "nobody to send from",
    "--to 192.0.2.1:80",
    "name a container: --pod NAMESPACE/NAME, --container-id, --netns; or give --from host"
  ],
  [
    "an address without a port",
    "web --to 192.0.2.1",
    "--to: found \"192.0.2.1\", expected an address and a port such as 192.0.2.1:80 or 10.96.0.10:53/udp"
  ],
  ["a port that is none", "web --port 70000", "--port: found \"70000\", expected a port such as 8080 or 53/udp"],
  ["a sender that is no address", "web --port 80 --from web", "--from: found \"web\", expected host or an address"],
  ["a count of none", "web --port 80 --count 0", "--count: found 0, expected a number from 1 to 100"]
]

describe("trace refuses", () => {
  for (const [what, words, message] of refusals) {
    it.effect(what, () =>
      Effect.gen(function*() {
        const printed = yield* Command.printed(trace, ...words.split(" "), "--cache-dir", folder)
        assert.include(printed.stderr, `error: ${message}`)
        assert.notInclude(printed.stdout, "table")
      }).pipe(Effect.provide(host)))
  }

  it.effect("a container that the cache does not have", () =>
    Effect.gen(function*() {
      const printed = yield* Command.printed(trace, "--pod", "shop/web", "--port", "80", "--cache-dir", folder)
      assert.include(
        printed.stderr,
        `error: --pod shop/web: no attachment in ${folder} belongs to this container. There are no attachments. ` +
          "Name any other container by its network namespace, with --netns\n"
      )
    }).pipe(Effect.provide(host)))

  it.effect("a container that the cache does not have, and names those that it has", () =>
    Effect.gen(function*() {
      using cache = temporary()
      for (const containerId of Array.from({ length: 9 }, (_, index) => `container-${index}`)) {
        cached(cache.path, { network: "n", containerId, types: ["bridge"] })
      }
      const printed = yield* Command.printed(trace, "web", "--port", "80", "--cache-dir", cache.path)
      const names = Array.from({ length: 8 }, (_, index) => `--container-id container-${index}`)
      assert.include(printed.stderr, `. There are: ${names.join(", ")}, …. Name any other`)
    }).pipe(Effect.provide(host)))
})
