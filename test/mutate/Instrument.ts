/** Puts all chosen mutants of a file into one text, of which at most one is active at a time. */
import * as Path from "node:path"
import { parseAst } from "vitest/node"
import { type Mutant } from "./Mutants.ts"

/** A mutant with the number by which it is activated. */
export interface Numbered extends Mutant {
  readonly number: number
}

/**
 * Where the statements begin that are only an expression. Sources without semicolons need one before the parenthesis that
 * a mutant begins with.
 */
const expressionStatements = (file: string, code: string): ReadonlySet<number> => {
  const found = new Set<number>()
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) if (item?.type === "ExpressionStatement") found.add(item.start)
      node.forEach(visit)
    } else if (typeof node === "object" && node !== null) Object.values(node).forEach(visit)
  }
  visit(parseAst(code, { lang: file.endsWith("x") ? "tsx" : "ts", astType: "ts" }).body)
  return found
}

/** The text of a file with these mutants of it in it. */
export const instrumented = (file: string, code: string, mutants: ReadonlyArray<Numbered>): string => {
  const statements = expressionStatements(file, code)

  /** The text of a range, with these mutants, which are all inside. */
  const render = (start: number, end: number, inside: ReadonlyArray<Numbered>): string => {
    const first = inside.toSorted((left, right) => left.start - right.start || right.end - left.end)[0]
    if (first === undefined) return code.slice(start, end)
    const same = inside.filter((mutant) => mutant.start === first.start && mutant.end === first.end)
    const within = inside.filter((mutant) => !same.includes(mutant) && mutant.end <= first.end)
    const after = inside.filter((mutant) => mutant.start >= first.end)
    const choices = same.map(({ number, replacement }) => `isActiveMutant(${number}) ? (${replacement}) : `)
    const semicolon = statements.has(first.start) && first.start >= start ? ";" : ""
    const original = render(first.start, first.end, within).replace(/^;/, "")
    return code.slice(start, first.start) + `${semicolon}(${choices.join("")}(${original}))` +
      render(first.end, end, after)
  }

  const active = Path.relative(Path.dirname(file), "test/mutate/Active.ts")
  return `import { isActive as isActiveMutant } from "${active.startsWith(".") ? active : `./${active}`}"; ` +
    render(0, code.length, mutants)
}
