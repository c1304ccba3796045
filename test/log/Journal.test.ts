/** The journal, as `journalctl` prints it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Execution, Invocation } from "../../src/exec/Execution.ts"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as Journal from "../../src/log/Journal.ts"
import { JournalUnreadable } from "../../src/log/LogError.ts"
import * as RecordLog from "../../src/log/RecordLog.ts"
import { chained } from "../operations/records.ts"

/** A `journalctl` that prints these entries, and ends so. */
const journalctl = (entries: ReadonlyArray<object>, ending: Partial<Execution> = {}) => {
  const invocations: Array<Invocation> = []
  const run = (invocation: Invocation) =>
    Effect.sync((): Execution => {
      invocations.push(invocation)
      const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("")
      for (const byte of Buffer.from(text)) invocation.onStdout?.(Uint8Array.of(byte))
      const nothing = new Uint8Array()
      return {
        argv: invocation.argv,
        stdin: "",
        stdout: nothing,
        stderr: nothing,
        truncated: false,
        exitCode: 0,
        signal: null,
        timedOut: false,
        durationMs: 1,
        ...ending
      }
    })
  return { invocations, runner: ProcessRunner.of({ run }) }
}

const entries = chained.map((record) => ({ CNI_RECORD: JSON.stringify(record) }))

describe("the journal", () => {
  it.effect("has the records of all events, those that are not plain text too", () =>
    Effect.gen(function*() {
      const [first, ...others] = chained
      const bytes = { CNI_RECORD: [...Buffer.from(JSON.stringify({ ...first, label: "é" }))] }
      const { invocations, runner } = journalctl([bytes, ...others.map((it) => ({ CNI_RECORD: JSON.stringify(it) }))])
      const labels: Array<string | undefined> = []
      const skipped = yield* RecordLog.readJournal((record) => labels.push(record.label)).pipe(
        Effect.provideService(ProcessRunner, runner)
      )
      assert.deepStrictEqual([skipped.records, skipped.others, labels[0]], [6, 0, "é"])
      const argv = invocations[0]?.argv ?? []
      assert.deepStrictEqual(argv.slice(1, 4), ["--no-pager", "--output=json", "--all"])
      assert.sameMembers(
        argv.slice(4),
        ["request", "hook", "plugin", "changes", "result", "error", "removal"].map((event) => `CNI_EVENT=${event}`)
      )
      assert.strictEqual(invocations.length, 1, "a journal with records is asked once")
    }))

  it.effect("is named where lines of it are not records", () =>
    Effect.gen(function*() {
      const skipped = yield* RecordLog.readJournal(() => {}).pipe(
        Effect.provideService(ProcessRunner, journalctl([{ CNI_RECORD: "x" }, ...entries]).runner)
      )
      assert.deepStrictEqual(skipped.complaints(), ["journal:1: not a record, passed over"])
    }))

  it.effect("without records is asked once more, for a single entry", () =>
    Effect.gen(function*() {
      const { invocations, runner } = journalctl([])
      yield* Effect.provideService(Journal.read(false, () => {}), ProcessRunner, runner)
      assert.deepStrictEqual(invocations.slice(1).map(({ argv }) => argv.slice(1)), [["--no-pager", "--lines=1"]])
    }))

  it.effect("goes on with what comes, where that is asked for", () =>
    Effect.gen(function*() {
      const { invocations, runner } = journalctl(entries)
      yield* Effect.provideService(Journal.read(true, () => {}), ProcessRunner, runner)
      assert.includeMembers([...invocations[0]?.argv ?? []], ["--follow", "--no-tail"])
    }))

  it.effect("that cannot be read says why", () =>
    Effect.gen(function*() {
      const message = (runner: ProcessRunner["Service"]) =>
        Effect.map(
          Effect.flip(Effect.provideService(Journal.read(false, () => {}), ProcessRunner, runner)),
          (error) => error.message
        )
      const stderr = Buffer.from("No journal files were opened due to insufficient permissions.\n")
      assert.strictEqual(
        yield* message(journalctl([], { exitCode: 1, stderr }).runner),
        "cannot read the journal: No journal files were opened due to insufficient permissions."
      )
      assert.strictEqual(
        yield* message(journalctl([], { exitCode: null, signal: "SIGKILL" }).runner),
        "cannot read the journal: journalctl: killed by SIGKILL"
      )
      const missing = new NotStarted({
        program: "journalctl",
        reason: "no such file",
        code: "ENOENT",
        cause: 0
      })
      assert.strictEqual(
        yield* message(ProcessRunner.of({ run: () => Effect.fail(missing) })),
        "cannot read the journal: cannot start journalctl: ENOENT: no such file"
      )
    }))

  it.effect("that is not there is no journal without records", () =>
    Effect.gen(function*() {
      const read = (stderr: string) =>
        Effect.exit(Journal.read(false, () => {})).pipe(
          Effect.provideService(ProcessRunner, journalctl([], { stderr: Buffer.from(stderr) }).runner)
        )
      assert.deepStrictEqual(yield* read(""), Exit.succeed(undefined))
      assert.deepStrictEqual(
        yield* read("No journal files were found.\n"),
        Exit.fail(new JournalUnreadable({ reason: "No journal files were found." }))
      )
    }))

  it("has entries that are hostile", () => {
    for (
      const entry of ["", "{", "null", "[]", "{}", `{"CNI_RECORD":null}`, `{"CNI_RECORD":{}}`, `{"CNI_RECORD":["x"]}`]
    ) {
      assert.isString(Journal.recordOf(entry))
    }
  })
})
