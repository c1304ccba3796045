/** The lines of a log that are not records. */

/** How many of them are told one by one. */
const told = 5

/** Counts the lines of a log. */
export class Skipped {
  /** How many records there were. */
  records = 0
  /** How many lines were something else. */
  others = 0
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
  other(): void {
    this.line++
    this.others++
    if (this.others <= told) this.untold.push(`${this.name}:${this.line}: not a record, passed over`)
    else if (this.others === told + 1) this.untold.push(`${this.name}: more lines that are not records are passed over`)
  }

  /** Whether this is a log of something else. */
  isForeign(): boolean {
    return this.records === 0 && this.others > 0
  }

  /** What there is to tell about it since it was last asked for. */
  complaints(): ReadonlyArray<string> {
    const lines = this.untold
    this.untold = []
    return lines
  }
}
