/** The codes in docs/errors.md are those that the plugin answers with. */
import { assert, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as CniError from "../../src/cni/CniError.ts"
import { items, read } from "./markdown.ts"

const hook = { hook: "id", reason: "failed", details: "" }
const sink = { reason: "full", cause: undefined }

/** One failure of each kind. */
const failures: ReadonlyArray<CniError.CniError> = [
  new CniError.IncompatibleVersion({ reason: "", details: "" }),
  new CniError.InvalidEnvironment({ problems: [] }),
  new CniError.StdinUnreadable({ reason: "" }),
  new CniError.StdoutUnwritable({ reason: "" }),
  new CniError.LogFailed({ command: "ADD", ...sink }),
  new CniError.LogFailed({ command: "STATUS", ...sink }),
  new CniError.UndecodableConfig({ reason: "" }),
  new CniError.InvalidConfig({ problems: [] }),
  new CniError.OwnNamespace({ netns: "" }),
  new CniError.Interrupted(),
  new CniError.HookFailed({ ...hook, timedOut: false }),
  new CniError.HookFailed({ ...hook, timedOut: true })
]

it("docs/errors.md has the code of each failure, and of a defect, and no others", () => {
  const listed = items(read("docs/errors.md")).flatMap(({ names }) => names).map(Number)
  const classes = Object.values(CniError).filter((each) =>
    typeof each === "function" && String(each).startsWith("class ")
  )
  assert.strictEqual(new Set(failures.map(({ constructor }) => constructor)).size, classes.length)
  const codes = [...failures.map(Cause.fail), Cause.die("defect")].map((cause) => CniError.fromCause(cause).code)
  assert.deepStrictEqual(listed, [...new Set(codes)].toSorted((left, right) => left - right))
})
