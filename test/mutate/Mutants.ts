/** The small changes of a source file that its tests should notice. */
import { parseAst } from "vitest/node"

/** One change: the text from `start` to `end` is replaced. */
export interface Mutant {
  /** The path of the file in the repository. */
  readonly file: string
  readonly line: number
  readonly column: number
  readonly start: number
  readonly end: number
  readonly replacement: string
  /** For people: the text before and after. */
  readonly change: string
}

/** A node of the syntax tree (ESTree with TypeScript), as far as this module looks at it. */
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as Node).type === "string"

const nodesIn = (value: unknown): ReadonlyArray<Node> =>
  Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : []

/** Where an expression stands in a chain with `?.` in it. What is inside one cannot be put in parentheses. */
type Place = "free" | "top" | "inside"

/** The operators that each operator is replaced by. */
const otherOperators: { readonly [operator: string]: string } = {
  "===": "!==",
  "!==": "===",
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "&&": "||",
  "||": "&&"
}

/** Methods whose call can be left out of a chain: what they return has the type of what they are called on. */
const links = new Set(
  "concat filter flat replace replaceAll reverse slice sort toLowerCase toReversed toSorted toUpperCase trim trimEnd trimStart"
    .split(" ")
)

/** Names and texts without behaviour: no test has a reason to notice them. */
const namesOf = /^(?:Context\.\w+|Data\.TaggedError|Effect\.(?:fn|withSpan))\b/ // keys of services, tags of errors
const describes = /(?:withDescription|withShortDescription|withExamples)$/ // help texts
const unnoticed = new Set([
  // Texts of a JSON Schema.
  "description",
  "title",
  "documentation",
  "identifier",
  // How many effects run at a time: no result depends on it.
  "concurrency"
])

/** From here on a number is a limit of time or size. No reader or writer of it means this number and not the next one. */
const limits = 1000

/** The value of a number, or of a product like `64 * 1024`. */
const valueOf = (node: Node): number | undefined => {
  if (node.type === "Literal" && typeof node["value"] === "number") return node["value"]
  if (node.type !== "BinaryExpression" || node["operator"] !== "*") return undefined
  const [left, right] = [valueOf(node["left"] as Node), valueOf(node["right"] as Node)]
  return left === undefined || right === undefined ? undefined : left * right
}

/** Whether a conditional is the result of a comparison of two values: of equals either may come first. */
const isOrder = (node: Node): boolean =>
  ["consequent", "alternate"].some((side) => {
    const { argument, operator, type } = node[side] as { readonly argument?: Node } & Node
    return type === "UnaryExpression" && operator === "-" && argument?.["value"] === 1
  })

/** All mutants of one file, in the order of their places. */
export const mutantsOf = (file: string, code: string): ReadonlyArray<Mutant> => {
  const lines = code.split("\n").map((line) => line.length + 1)
  const starts = lines.map((_, index) => lines.slice(0, index).reduce((sum, length) => sum + length, 0))
  const text = (node: Node): string => code.slice(node.start, node.end)
  const brief = (long: string): string => {
    const short = long.replace(/\s+/g, " ")
    return short.length <= 70 ? short : `${short.slice(0, 40)} … ${short.slice(-25)}`
  }
  const mutants: Array<Mutant> = []

  const add = (node: Node, replacement: string, change = `${brief(text(node))} → ${brief(replacement)}`): void => {
    const index = starts.findLastIndex((start) => start <= node.start)
    const column = node.start - starts[index]! + 1
    mutants.push({ file, line: index + 1, column, start: node.start, end: node.end, replacement, change })
  }

  /** Adds the change of a part of a node's text. */
  const addPart = (node: Node, from: number, to: number, part: string): void =>
    add(node, code.slice(node.start, from) + part + code.slice(to, node.end))

  const addOperators = (node: Node): void => {
    const [left, right] = [node["left"] as Node, node["right"] as Node]
    const operator = String(node["operator"])
    const other = otherOperators[operator]
    const at = code.indexOf(operator, left.end)
    if (other !== undefined) addPart(node, at, at + operator.length, other)
    if (node.type !== "LogicalExpression") return
    add(node, text(left))
    add(node, text(right))
  }

  const addLimit = (node: Node, value: number): void => {
    for (const other of [value * 2, value / 2]) add(node, String(other))
  }

  const addLiteral = (node: Node): void => {
    const { value } = node
    if (typeof value === "number" && value >= limits) addLimit(node, value)
    else if (typeof value === "number") { for (const other of [value + 1, value - 1]) add(node, String(other)) }
    if (typeof value === "boolean") add(node, String(!value))
    if (typeof value === "string") add(node, value === "" ? `"mutated"` : `""`)
  }

  const addTemplate = (node: Node): void => {
    for (const quasi of nodesIn(node["quasis"])) {
      const { raw } = quasi["value"] as { readonly raw: string }
      const at = code.indexOf(raw, quasi.start)
      if (raw !== "") addPart(node, at, at + raw.length, "")
    }
  }

  const addCall = (node: Node, place: Place): void => {
    const callee = node["callee"] as Node
    if (callee.type !== "MemberExpression" || callee["computed"] === true) return
    const [object, property] = [callee["object"] as Node, callee["property"] as Node]
    if (place !== "inside" && links.has(text(property))) add(node, text(object))
    if (text(property) !== "pipe") return
    for (const step of nodesIn(node["arguments"])) {
      add(step, "((same: any) => same)", `${brief(text(step))} dropped from pipe`)
    }
  }

  /** Each `?.` of a chain loses its question mark. */
  const addChain = (chain: Node): void => {
    const visit = (node: Node): void => {
      const inner = (node["object"] ?? node["callee"] ?? node["expression"]) as Node | undefined
      if (inner === undefined || node.type === "ParenthesizedExpression") return
      // Methods of `process` are optional for the types alone: other systems have none of them.
      if (node["optional"] === true && !text(inner).startsWith("process.")) {
        const at = code.indexOf("?.", inner.end)
        addPart(chain, at, at + 2, node.type === "CallExpression" || node["computed"] === true ? "" : ".")
      }
      visit(inner)
    }
    visit(chain["expression"] as Node)
  }

  /** What is left of a text, also of one in several pieces, without its words. */
  const partsOf = (node: Node): ReadonlyArray<Node> => {
    if (node.type === "Literal") return []
    if (node.type === "TemplateLiteral") return nodesIn(node["expressions"])
    return node.type === "BinaryExpression" ? nodesIn([node["left"], node["right"]]).flatMap(partsOf) : [node]
  }

  const visit = (node: Node, place: Place): void => {
    const { type } = node
    if (type.startsWith("TS")) {
      // Types do not exist at run time, but the value in `value as Type` does.
      for (const inner of nodesIn(node["expression"])) visit(inner, place)
      return
    }
    if (/^(?:Import|Export(?:All|Named)).*Declaration$/.test(type) && node["source"]) return
    const value = type === "BinaryExpression" ? valueOf(node) : undefined
    if (value !== undefined && value >= limits) return addLimit(node, value)
    if (type === "BinaryExpression" || type === "LogicalExpression") addOperators(node)
    if (type === "UnaryExpression" && node["operator"] === "!") add(node, text(node["argument"] as Node))
    if (type === "Literal") addLiteral(node)
    if (type === "TemplateLiteral") addTemplate(node)
    if (type === "CallExpression") addCall(node, place)
    if (type === "ChainExpression") addChain(node)
    if (type === "ArrayExpression" && nodesIn(node["elements"]).length > 0) add(node, "[]")
    if (type === "ConditionalExpression") {
      for (const side of ["consequent", "alternate"]) add(node, text(node[side] as Node))
    }
    if (type === "IfStatement") {
      const test = node["test"] as Node
      add(test, "false", `if (${brief(text(test))}) … dropped`)
      if (node["alternate"]) add(test, "true", `if (${brief(text(test))}) … else … → the first alone`)
    }
    for (const [field, value] of Object.entries(node)) {
      if (field === "key" && node["computed"] !== true) continue
      if (type === "Property" && field === "value" && unnoticed.has(text(node["key"] as Node))) continue
      if (type === "ConditionalExpression" && field === "test" && isOrder(node)) continue
      if (type === "ExpressionStatement" && "directive" in node && node["directive"]) continue
      if (type === "TaggedTemplateExpression" && field === "quasi") {
        for (const inner of nodesIn((value as Node)["expressions"])) visit(inner, "free")
        continue
      }
      if (type === "CallExpression" && field === "arguments") {
        const callee = text(node["callee"] as Node)
        if (namesOf.test(callee) || describes.test(callee)) {
          for (const inner of nodesIn(value).flatMap(partsOf)) visit(inner, "free")
          continue
        }
      }
      const inside = place !== "free" && (field === "object" || field === "callee")
      for (const inner of nodesIn(value)) visit(inner, type === "ChainExpression" ? "top" : inside ? "inside" : "free")
    }
  }

  const program = parseAst(code, { lang: file.endsWith("x") ? "tsx" : "ts", astType: "ts" }) as unknown as Node
  visit(program, "free")
  return mutants.sort((left, right) => left.start - right.start)
}
