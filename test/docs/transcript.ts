/** Sessions on a terminal, as pages show them: commands after `# `, each with what it printed. */
import { blocks } from "./markdown.ts"

/** A command, and the lines that it printed. */
export interface Step {
  readonly command: string
  readonly output: ReadonlyArray<string>
}

/** The sessions of a page: its blocks without a language that begin with a command. */
export const sessions = (page: string): ReadonlyArray<ReadonlyArray<Step>> =>
  blocks(page).filter(([first]) => first?.startsWith("# ")).map((block) =>
    block.reduce<Array<Step & { readonly output: Array<string> }>>((steps, line) => {
      if (line.startsWith("# ")) steps.push({ command: line.slice(2), output: [] })
      else steps.at(-1)?.output.push(line)
      return steps
    }, [])
  )

/** What is different each time, and what stands for it in the pattern of a line. */
const volatile: ReadonlyArray<readonly [seen: RegExp, pattern: string]> = [
  [/…/y, ".*"],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d\d:\d\d/y, "[-\\d]+ [:.\\d]+ [+-][\\d:]+"],
  [/\d+(?:\.\d+)? ms/y, "[\\d.]+ ms"],
  [/[0-9a-f]{2}(?::[0-9a-f]{2}){5}/y, "[0-9a-f:]+"],
  [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/y, "[0-9a-f-]+"],
  [/[0-9a-f]{4,}/y, "[0-9a-f]+"],
  [/ {2,}/y, " +"]
]

const patternOf = (line: string): RegExp => {
  let pattern = ""
  let index = 0
  while (index < line.length) {
    const [known] = volatile.flatMap(([seen, pattern]) => {
      seen.lastIndex = index
      const [text] = seen.exec(line) ?? []
      return text === undefined ? [] : [{ text, pattern }]
    })
    const text = known?.text ?? line.charAt(index)
    pattern += known?.pattern ?? text.replace(/[.*+?^${}()|[\]\\]/, "\\$&")
    index += text.length
  }
  return new RegExp(`^${pattern}$`, "u")
}

/**
 * What of the expected lines was not printed, from the first line on that was not; undefined if all were. A line with
 * nothing but `…` stands for any number of lines.
 */
export const missing = (
  expected: ReadonlyArray<string>,
  printed: ReadonlyArray<string>
): ReadonlyArray<string> | undefined => {
  const [line, ...others] = expected
  if (line === undefined) return printed.length === 0 ? undefined : ["(nothing more)"]
  if (line.trim() === "…") {
    const rests = printed.map((_, index) => printed.slice(index))
    const answers = [...rests, []].map((rest) => missing(others, rest))
    return answers.includes(undefined)
      ? undefined
      : answers.toSorted((left, right) => (left?.length ?? 0) - (right?.length ?? 0))[0]
  }
  const [first, ...rest] = printed
  return first === undefined || !patternOf(line).test(first) ? expected : missing(others, rest)
}
