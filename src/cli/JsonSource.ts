/** JSON with the places of its values, so that people can be told where something is, and text be put in beside it. */

/** The first and the index behind the last character of a value. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** What is wrong with a text that is no JSON. */
export interface SyntaxProblem {
  readonly offset: number
  readonly message: string
}

/** A value, and the ranges of all values in it by their path, such as `plugins[0].type`; the whole is at "". */
export interface Source {
  readonly value: unknown
  readonly ranges: ReadonlyMap<string, Range>
}

class Failure extends Error {
  readonly offset: number
  constructor(offset: number, message: string) {
    super(message)
    this.offset = offset
  }
}

/** How deep a document may be nested. Configurations are not; the parser below recurses. */
const deepest = 500

class Parser {
  readonly ranges = new Map<string, Range>()
  private index = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  document(): unknown {
    if (this.text.startsWith("\uFEFF")) throw new Failure(0, "a byte-order mark, which runtimes do not read")
    const value = this.value("", 0)
    this.space()
    if (this.index < this.text.length) throw new Failure(this.index, `${this.found()} behind the end of the document`)
    return value
  }

  private space(): void {
    while (/[ \t\r\n]/.test(this.text[this.index] ?? "")) this.index++
  }

  private found(): string {
    const character = this.text[this.index]
    return character === undefined ? "the end of the file" : JSON.stringify(character)
  }

  private value(path: string, depth: number): unknown {
    if (depth > deepest) throw new Failure(this.index, `more than ${deepest} levels`)
    this.space()
    const start = this.index
    const value = this.text[start] === "{"
      ? this.object(path, depth)
      : this.text[start] === "["
      ? this.list(path, depth)
      : this.scalar()
    this.ranges.set(path, { start, end: this.index })
    return value
  }

  private scalar(): unknown {
    const start = this.index
    const token = /^(?:"(?:[^"\\]|\\.)*"|[^\s,:{}[\]"]+)/.exec(this.text.slice(start, start + 100_000))?.[0]
    if (token === undefined) throw new Failure(start, `${this.found()} where a value should be`)
    this.index += token.length
    try {
      return JSON.parse(token)
    } catch {
      const comment = token.startsWith("//") || token.startsWith("/*") || token.startsWith("#")
      throw new Failure(
        start,
        comment ? "a comment, which JSON does not have" : `${token.slice(0, 40)} is no JSON value`
      )
    }
  }

  /** Goes on behind a comma, or ends behind `close`. */
  private isLast(close: string): boolean {
    this.space()
    const at = this.index
    if (this.text[at] === close) {
      this.index++
      return true
    }
    if (this.text[at] !== ",") throw new Failure(at, `${this.found()} where "," or "${close}" should be`)
    this.index++
    this.space()
    if (this.text[this.index] === close) throw new Failure(at, `a trailing comma in front of "${close}"`)
    return false
  }

  private isEmpty(close: string): boolean {
    this.index++
    this.space()
    if (this.text[this.index] !== close) return false
    this.index++
    return true
  }

  private object(path: string, depth: number): { readonly [key: string]: unknown } {
    const members: Array<readonly [string, unknown]> = []
    if (this.isEmpty("}")) return {}
    do {
      this.space()
      if (this.text[this.index] !== "\"") {
        throw new Failure(this.index, `${this.found()} where a key in quotes should be`)
      }
      const key = String(this.scalar())
      this.space()
      if (this.text[this.index] !== ":") throw new Failure(this.index, `${this.found()} where ":" should be`)
      this.index++
      members.push([key, this.value(path === "" ? key : `${path}.${key}`, depth + 1)])
    } while (!this.isLast("}"))
    return Object.fromEntries(members)
  }

  private list(path: string, depth: number): ReadonlyArray<unknown> {
    const elements: Array<unknown> = []
    if (this.isEmpty("]")) return elements
    do elements.push(this.value(`${path}[${elements.length}]`, depth + 1))
    while (!this.isLast("]"))
    return elements
  }
}

/** Reads JSON, or says what the first thing is that is wrong with it. */
export const parse = (text: string): Source | SyntaxProblem => {
  const parser = new Parser(text)
  try {
    return { value: parser.document(), ranges: parser.ranges }
  } catch (error) {
    if (error instanceof Failure) return { offset: error.offset, message: error.message }
    throw error
  }
}

/** Line and column of an offset, both from 1. */
export const position = (text: string, offset: number): { readonly line: number; readonly column: number } => {
  const before = text.slice(0, offset).split("\n")
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

/** The value of a text; undefined where it is no JSON. */
export const valueOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
