/** The lines of a log that are not records. */

import { NotRecords } from "./LogError.ts"

/** How many of them are told one by one. */
const told = 5

/** How many of them are looked at to tell what the log is, and how much of the first is kept, in characters. */
const looked = 20
const longest = 100

/** Counts the lines of a log. */
export class SkippedLines {
  /** How many records there were. */
  records = 0
  /** How many lines were something else. */
  others = 0
  private first = ""
  private isText = false
  private line = 0
  private untold: Array<string> = []
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  /** A line that is a record. */
  record(): void {
    this.line++
    this.records++
  }

  /** A line that is empty. */
  blank(): void {
    this.line++
  }

  /** A line that is something else. */
  other(text: string): void {
    this.line++
    this.others++
    if (this.others === 1) this.first = text.slice(0, longest)
    if (this.others <= looked) this.isText ||= text.startsWith("CNI_COMMAND: ")
    if (this.others <= told) this.untold.push(`${this.name}:${this.line}: not a record, passed over`)
    else if (this.others === told + 1) this.untold.push(`${this.name}: more lines that are not records are passed over`)
  }

  /** Whether this is a log of something else. */
  isForeign(): boolean {
    return this.records === 0 && this.others > 0
  }

  /** The error of a log of something else. */
  error(): NotRecords {
    const { first, isText, name } = this
    return new NotRecords({ name, first, isText })
  }

  /** Whether it had no line with something in it. */
  isEmpty(): boolean {
    return this.records === 0 && this.others === 0
  }

  /** What there is to tell about it since it was last asked for. */
  complaints(): ReadonlyArray<string> {
    const lines = this.untold
    this.untold = []
    return lines
  }
}
