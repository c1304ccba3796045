/** `--host-root`: paths of the host, as a command in a container finds them. */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as OnHost from "../../src/cli/OnHost.ts"

describe("a path", () => {
  it("is that of the host where its root is mounted, and else as it is", () => {
    const hostRoot = Option.some("/host")
    assert.strictEqual(OnHost.seen({ hostRoot }, "/host/opt"), "/opt")
    assert.strictEqual(OnHost.seen({ hostRoot }, "/opt"), "/opt")
    assert.strictEqual(OnHost.seen({ hostRoot: Option.none() }, "/host/opt"), "/host/opt")
  })

  it("of a file may be relative to the folder in which the command was started", () => {
    const hostRoot = Option.some(process.cwd())
    assert.strictEqual(OnHost.seenFile({ hostRoot }, "log/a.jsonl"), "/log/a.jsonl")
    assert.strictEqual(OnHost.seenFile({ hostRoot }, `${process.cwd()}/log/*.jsonl`), "/log/*.jsonl")
    assert.strictEqual(OnHost.seenFile({ hostRoot }, "-"), "-")
    assert.strictEqual(OnHost.seenFile({ hostRoot: Option.none() }, "log/a.jsonl"), "log/a.jsonl")
  })
})
