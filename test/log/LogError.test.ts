/** Why a log cannot be shown, to the letter. */
import { assert, describe, it } from "@effect/vitest"
import * as PlatformError from "effect/PlatformError"
import * as LogError from "../../src/log/LogError.ts"

describe("a log that cannot be read", () => {
  const message = (cause: unknown) => new LogError.Unreadable({ name: "a.jsonl", cause }).message
  const failed = (_tag: PlatformError.SystemErrorTag, cause?: unknown) =>
    PlatformError.systemError({ _tag, module: "FileSystem", method: "open", cause })

  it("says what the operating system says, in words where there are some", () => {
    assert.strictEqual(message(failed("NotFound")), "cannot read a.jsonl: there is no such file")
    assert.strictEqual(message(failed("PermissionDenied")), "cannot read a.jsonl: permission denied")
    assert.strictEqual(message(failed("Unknown", new Error("EIO: i/o error"))), "cannot read a.jsonl: EIO: i/o error")
    assert.strictEqual(message(failed("Unknown", "EIO")), "cannot read a.jsonl: Unknown: FileSystem.open")
  })

  it("says what else went wrong", () => {
    assert.strictEqual(message(new Error("incorrect header check")), "cannot read a.jsonl: incorrect header check")
    assert.strictEqual(message("it broke"), "cannot read a.jsonl: it broke")
  })
})

describe("what was named instead of a log", () => {
  it("is a folder, of which the files are to be named", () => {
    const message = "is a folder: name its files, such as '/var/log/cni/*.jsonl'"
    assert.strictEqual(new LogError.IsFolder({ path: "/var/log/cni" }).message, `/var/log/cni ${message}`)
    assert.strictEqual(new LogError.IsFolder({ path: "/var/log/cni//" }).message, `/var/log/cni// ${message}`)
  })

  it("is a pattern that nothing matches", () => {
    assert.strictEqual(new LogError.NoMatch({ pattern: "/x/*.jsonl" }).message, "no file matches /x/*.jsonl")
  })

  it("is nothing, and stdin has nothing", () => {
    assert.strictEqual(
      new LogError.NothingRead({ example: "/x/*.jsonl" }).message,
      "stdin is empty, which was read as no log was named: name one, such as '/x/*.jsonl'"
    )
  })
})

describe("a log without records", () => {
  const message = (first: string, isText = false) => new LogError.NotRecords({ name: "log", first, isText }).message
  const expected = (found: string) =>
    `log has no JSON records: found ${found} in its first line, expected one JSON object a line with "event" and ` +
    "\"invocation\""

  it("is shown by its first line, of which sixty characters are told", () => {
    assert.strictEqual(message("a \"b\""), expected("\"a \\\"b\\\"\""))
    assert.strictEqual(message("x".repeat(60)), expected(`"${"x".repeat(60)}"`))
    assert.strictEqual(message("x".repeat(61)), expected(`"${"x".repeat(60)}…"`))
  })

  it("is a text log, which people read as it is", () => {
    assert.strictEqual(
      message("CNI_COMMAND: ADD", true),
      "log has no JSON records: it is a text log, which is for reading as it is; for \"show\", log with " +
        "\"format\": \"json\" (or \"logFormat\": \"json\")"
    )
  })
})

describe("the journal", () => {
  it("says why it cannot be read", () => {
    assert.strictEqual(
      new LogError.JournalUnreadable({ reason: "exit status 1" }).message,
      "cannot read the journal: exit status 1"
    )
  })
})
