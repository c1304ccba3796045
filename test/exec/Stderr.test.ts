/** What goes to stderr, whatever that is. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { type Engine, engines, run } from "../support/engines.ts"
import { temporary } from "../support/plugin.ts"

const answer = (engine: Engine, args: ReadonlyArray<string>, via?: string) => {
  const { stderr, stdout } = run({
    engine,
    program: "exec/programs/stderr.ts",
    args,
    ...(via === undefined ? {} : { via })
  })
  return { stderr, answer: stdout === "" ? undefined : JSON.parse(stdout) }
}

for (const engine of Object.keys(engines) as ReadonlyArray<Engine>) {
  describe(`stderr under ${engine}`, () => {
    const written = { messages: ["written", "written", "written"], opened: 0, waits: true }

    it("gets what is written where it is a pipe, whose other writers still wait, and no descriptor is left open", () => {
      const { answer: told, stderr } = answer(engine, ["write", "né;", "3"], "{ \"$@\" 2>&1 >&3 | cat >&2; } 3>&1")
      assert.strictEqual(stderr, "né;né;né;")
      assert.deepStrictEqual(told, written)
    })

    it("gets what is written where it is a socket", () => {
      const { answer: told, stderr } = answer(engine, ["write", "né;", "3"])
      assert.strictEqual(stderr, "né;né;né;")
      assert.deepStrictEqual(told.messages, written.messages)
    })

    it("gets what is written where it is a file, between what others write there", () => {
      using folder = temporary()
      const file = `${folder.path}/file`
      const via = `{ echo -n 'before;' >&2; "$@"; echo -n 'after;' >&2; } 2> ${file}`
      assert.deepStrictEqual(answer(engine, ["write", "né;", "3"], via).answer, written)
      assert.strictEqual(Fs.readFileSync(file, "utf8"), "before;né;né;né;after;")
    })

    it("fails where it is full, unless that is for people", () => {
      const via = "exec \"$@\" 2> /dev/full"
      assert.match(answer(engine, ["write", "x"], via).answer.messages[0], /^ENOSPC/)
      assert.deepStrictEqual(answer(engine, ["notice", "x"], via).answer.messages, ["written"])
    })

    it("fails where its reader is gone", () => {
      const via = "{ \"$@\" 2>&1 >&3 | :; } 3>&1"
      assert.match(answer(engine, ["write", "1000000"], via).answer.messages[0], /^EPIPE/)
    })

    it("gets all of a long text, however slow its reader is", () => {
      const via = "{ \"$@\" 2>&1 >&3 | { sleep 0.3; wc -c >&2; }; } 3>&1"
      const { answer: told, stderr } = answer(engine, ["write", "300000"], via)
      assert.deepStrictEqual([told.messages, stderr.trim()], [["written"], "300000"])
    })

    it("does not keep who says something to people where nobody reads it", () => {
      // Its reader waits for the end of this run.
      const via =
        "{ { \"$@\" 2>&4 >&3; echo > \"$0.end\"; } 4>&1 | { until [ -e \"$0.end\" ]; do sleep 0.05; done; }; } 3>&1"
      using folder = temporary()
      const { answer: told } = answer(engine, ["notice", "300000"], via.replaceAll("$0", `${folder.path}/run`))
      assert.deepStrictEqual(told.messages, ["written"])
    })
  })
}
