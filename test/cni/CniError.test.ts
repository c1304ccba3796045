/** What a runtime gets for each failure. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as CniError from "../../src/cni/CniError.ts"

const logFailed = (command: string) => new CniError.LogFailed({ command, reason: "no space", cause: undefined })
const hookFailed = (timedOut: boolean, details: string) =>
  new CniError.HookFailed({ hook: "echo \"a\"", timedOut, reason: "failed", details })
const logDetails = "set \"onLogFailure\": \"ignore\" in the network configuration to let requests succeed without a log"

describe("the error document", () => {
  const cases: ReadonlyArray<readonly [CniError.CniError, CniError.ErrorDocument]> = [
    [new CniError.InvalidEnvironment({ problems: ["a", "b"] }), { code: 4, msg: "a; b" }],
    [
      new CniError.StdinUnreadable({ reason: "EIO" }),
      { code: 5, msg: "cannot read the network configuration from stdin: EIO" }
    ],
    [
      new CniError.UndecodableConfig({ reason: "no object" }),
      { code: 6, msg: "cannot decode the network configuration on stdin: no object" }
    ],
    [new CniError.InvalidConfig({ problems: ["a", "b"] }), { code: 7, msg: "invalid network configuration: a; b" }],
    [new CniError.IncompatibleVersion({ reason: "too new", details: "" }), { code: 1, msg: "too new" }],
    [
      new CniError.IncompatibleVersion({ reason: "too new", details: "9.0.0" }),
      { code: 1, msg: "too new", details: "9.0.0" }
    ],
    [
      new CniError.OwnNamespace({ netns: "/proc/self/ns/net" }),
      {
        code: 8,
        msg: "plugin's netns and netns from CNI_NETNS should not be the same",
        details: "CNI_NETNS is \"/proc/self/ns/net\"; " +
          "set CNI_NETNS_OVERRIDE=1 if the container is meant to share the host's network"
      }
    ],
    [
      new CniError.Interrupted(),
      { code: 11, msg: "stopped by a signal before the request was done; try again" }
    ],
    [logFailed("ADD"), { code: 5, msg: "cannot log this request: no space", details: logDetails }],
    [logFailed("STATUS"), { code: 50, msg: "cannot log this request: no space", details: logDetails }],
    [hookFailed(false, "exit status 1"), { code: 100, msg: `hook "echo \\"a\\"" failed`, details: "exit status 1" }],
    [hookFailed(true, ""), { code: 101, msg: `hook "echo \\"a\\"" failed` }],
    [new CniError.StdoutUnwritable({ reason: "EPIPE" }), { code: 5, msg: "cannot write to stdout: EPIPE" }]
  ]
  for (const [error, document] of cases) {
    it(`of ${error._tag} has code ${document.code}, and details where there are some: ${document.details}`, () => {
      assert.deepStrictEqual(CniError.fromCause(Cause.fail(error)), document)
    })
  }

  it("of an interruption is the one of a signal", () => {
    assert.strictEqual(CniError.fromCause(Cause.interrupt(1)).code, 11)
  })

  it("of a defect asks for a report, and says what it was", () => {
    const msg = "a bug in the plugin passthrough; please report it"
    const defects = [
      new TypeError("x is not a function"),
      "text",
      Object.assign(new Error("a"), { code: 5, details: "" })
    ]
    for (const defect of defects) {
      const document = CniError.fromCause(Cause.die(defect))
      assert.deepStrictEqual(document, { code: 999, msg, details: String(defect) })
    }
  })

  it("goes to stdout with the version first, and without details where there are none", () => {
    assert.strictEqual(
      CniError.render("1.0.0", { code: 7, msg: "m", details: "d" }),
      `{"cniVersion":"1.0.0","code":7,"msg":"m","details":"d"}`
    )
    assert.strictEqual(CniError.render("1.0.0", { code: 7, msg: "m" }), `{"cniVersion":"1.0.0","code":7,"msg":"m"}`)
  })
})
