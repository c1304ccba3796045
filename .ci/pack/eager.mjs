/**
 * Puts the functions of a script that every run calls in parentheses. V8 compiles such a function with the script. It
 * reads any other one twice: once to find its end, and again when it is called.
 */
import { parse } from "acorn"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

/** A node of a syntax tree and all nodes below it, each with its parent. */
function* nodesIn(node, parent) {
  if (Array.isArray(node)) { for (const each of node) yield* nodesIn(each, parent) }
  else if (typeof node?.type === "string") {
    yield { node, parent }
    for (const value of Object.values(node)) if (typeof value === "object") yield* nodesIn(value, node)
  }
}

const isMethod = (parent) =>
  parent.type === "MethodDefinition" || (parent.type === "Property" && (parent.method || parent.kind !== "init"))

/** Whether a node is a function that may stand in parentheses, as methods and declarations may not. */
const isFunction = ({ node, parent }) =>
  node.type === "ArrowFunctionExpression" || (node.type === "FunctionExpression" && !isMethod(parent))

/** The verbs of the runs that are looked at: each container has both. */
const verbs = ["ADD", "DEL"]

/** The offsets at which the functions begin that runs of the script `code` call. */
const called = (code) => {
  const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "passthrough-build-"))
  try {
    const script = Path.join(folder, "passthrough")
    Fs.writeFileSync(script, code)
    for (const verb of verbs) {
      const { status, stdout } = ChildProcess.spawnSync(process.execPath, [script], {
        cwd: folder,
        encoding: "utf8",
        env: {
          CNI_COMMAND: verb,
          CNI_CONTAINERID: "build",
          CNI_NETNS: "/run/netns/build",
          CNI_IFNAME: "eth0",
          CNI_PATH: folder,
          NODE_V8_COVERAGE: Path.join(folder, "coverage"),
          PATH: "/usr/bin:/bin",
          TZ: "UTC"
        },
        input: JSON.stringify({
          cniVersion: "1.0.0",
          name: "build",
          type: "passthrough",
          logFile: Path.join(folder, "log"),
          prevResult: { cniVersion: "1.0.0", ips: [{ address: "192.0.2.2/24" }] }
        })
      })
      if (status !== 0) throw new Error(`found exit status ${status} of the plugin's ${verb}, expected 0: ${stdout}`)
    }
    const reports = Fs.readdirSync(Path.join(folder, "coverage"))
      .map((name) => JSON.parse(Fs.readFileSync(Path.join(folder, "coverage", name), "utf8")))
    return new Set(
      reports.flatMap(({ result }) => result).filter(({ url }) => url.endsWith("/passthrough"))
        .flatMap(({ functions }) => functions.map(({ ranges: [whole] }) => whole))
        .filter(({ count }) => count > 0).map(({ startOffset }) => startOffset)
    )
  } finally {
    Fs.rmSync(folder, { recursive: true })
  }
}

/** The script `code` with its called functions in parentheses. */
export const mark = (code) => {
  const starts = called(code)
  const tree = parse(code, { ecmaVersion: "latest", sourceType: "script" })
  const functions = [...nodesIn(tree)].filter(isFunction).map(({ node }) => node).filter(({ start }) =>
    starts.has(start)
  )
  const marks = functions.flatMap(({ end, start }) => [{ at: start, text: "(" }, { at: end, text: ")" }])
  let from = 0
  const parts = []
  for (const { at, text } of marks.toSorted((left, right) => left.at - right.at || (left.text === ")" ? -1 : 1))) {
    parts.push(code.slice(from, at), text)
    from = at
  }
  return parts.join("") + code.slice(from)
}
