/** System calls under Bun, which the standalone executable makes. */
import { assert, describe, it } from "@effect/vitest"
import * as Libc from "../../src/exec/Libc.ts"
import { run } from "../support/engines.ts"

const start = (question: string, via?: string, options = {}) =>
  run(
    { engine: "Bun", program: "exec/programs/libc.ts", args: [question], ...(via === undefined ? {} : { via }) },
    options
  )

/** What a process learns by system calls. `via` is the shell command that starts it. */
const answer = (question: string, via?: string, options = {}): unknown => {
  const { stderr, stdout } = start(question, via, options)
  return stdout === "" ? stderr : JSON.parse(stdout)
}

describe("system calls under Bun", () => {
  it("make pipes that programs do not inherit", () => {
    assert.deepStrictEqual(answer("pipe"), { text: "through", closeOnExec: [true, true] })
  })

  it("make files without a name that programs do not inherit, and move back in them", () => {
    assert.deepStrictEqual(answer("file"), {
      name: "/memfd:stdin (deleted)",
      atEnd: "",
      text: "written",
      closeOnExec: true
    })
  })

  it("make neither where no descriptors are left", () => {
    assert.deepStrictEqual(answer("scarce", "ulimit -n 100; exec \"$@\""), { pipe: true, file: true, leaked: 0 })
  })

  it("let a pipe not wait, and a program inherit a descriptor", () => {
    assert.strictEqual(answer("setNonBlocking"), "EAGAIN")
    assert.isFalse(answer("clearCloseOnExec"))
  })

  it("tell which descriptors were closed", () => {
    assert.deepStrictEqual(answer("wasClosed"), [false, false, false])
    assert.deepStrictEqual(answer("wasClosed", "exec \"$@\" <&- 2>&-"), [true, false, true])
  })

  it("tell what can be written: not what is open for reading, nor a pipe without a reader", () => {
    assert.deepStrictEqual(answer("isWritable"), {
      opened: [false, true, true],
      withReader: [false, true],
      withoutReader: false
    })
  })

  it("tell which signals are ignored, without those that the engine ignores or that we must not, and reset one", () => {
    assert.deepStrictEqual(answer("signals", "trap '' HUP USR1 PIPE CHLD XFSZ 29; exec \"$@\""), {
      before: [1, 10, 29],
      after: [10, 29]
    })
    assert.deepStrictEqual(answer("signals"), { before: [], after: [] })
  })

  it("send a signal", () => {
    assert.deepInclude(start("kill"), { signal: "SIGKILL", stdout: "" })
  })

  it("leave the process group and its session, unless this process leads it", () => {
    const left = { leadsNow: true, own: [true, true] }
    assert.deepStrictEqual(answer("groups", "\"$@\"; exit"), { leads: false, ...left })
    assert.deepInclude(answer("groups", "exec setsid \"$@\""), { leads: true })
  })

  it("tell the limit of processes, which is the lower one of two", () => {
    assert.strictEqual(answer("processLimit", "exec prlimit --nproc=1234:2345 \"$@\""), 1234)
  })

  it("replace this process with a program, unless that fails", () => {
    assert.deepInclude(start("execute"), { stdout: "name 1 2\n", stderr: "", status: 0 })
  })

  it("need functions that the C library has", () => {
    assert.deepStrictEqual(answer("functions"), { unknown: true, pointers: [false, false, true], same: true })
  })
})

describe("system calls under Node.js", () => {
  it("are none", () => {
    assert.isUndefined(Libc.load())
    assert.isUndefined(Libc.functions({}))
    assert.deepStrictEqual([...Libc.pointers([Buffer.from("a\0")])], [0n, 0n])
  })
})
