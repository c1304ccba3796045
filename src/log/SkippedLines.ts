/** The lines of a log that are not records. */

import { NotRecords } from "./LogError.ts"

/** How many of them are reported one by one. */
const told = 5

/** How many of them are inspected to identify the format of the log, and how many characters of the first are kept. */
const looked = 20
const longest = 100

/** Counts the lines of a log, and collects complaints about those that are not records. */
export class SkippedLines {
  records = 0
  /** How many lines were neither records nor blank. */
  others = 0
  private first = ""
  private isText = false
  private line = 0
  private untold: Array<string> = []
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  /** Counts a line that is a record. */
  record(): void {
    this.line++
    this.records++
  }

  /** Counts a blank line. */
  blank(): void {
    this.line++
  }

  /** Counts any other line. */
  other(text: string): void {
    this.line++
    this.others++
    if (this.others === 1) this.first = text.slice(0, longest)
    if (this.others <= looked) this.isText ||= text.startsWith("CNI_COMMAND: ")
    if (this.others <= told) this.untold.push(`${this.name}:${this.line}: not a record, passed over`)
    else if (this.others === told + 1) this.untold.push(`${this.name}: more lines that are not records are passed over`)
  }

  /** Whether the log has lines, but no records. */
  isForeign(): boolean {
    return this.records === 0 && this.others > 0
  }

  /** The error for a log without records. */
  error(): NotRecords {
    const { first, isText, name } = this
    return new NotRecords({ name, first, isText })
  }

  /** Whether all lines were blank. */
  isEmpty(): boolean {
    return this.records === 0 && this.others === 0
  }

  /** The complaints since the last call. */
  complaints(): ReadonlyArray<string> {
    const lines = this.untold
    this.untold = []
    return lines
  }
}
