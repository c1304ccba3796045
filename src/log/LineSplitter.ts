/** Bytes that arrive in pieces, as lines. */

/** The longest line that is read, in characters: a record with all that a plugin may write fits many times. */
export const longestLine = 64 * 1_048_576

/** Takes bytes apart at their line ends. */
export class Splitter {
  private decoder = new TextDecoder()
  /** The line that is not complete yet, and its length; its parts are dropped where it is too long. */
  private parts: Array<string> = []
  private length = 0

  private keep(part: string): void {
    if (part === "") return
    this.length += part.length
    if (this.length > longestLine) this.parts = []
    else this.parts.push(part)
  }

  /** The line that is complete now. One that is too long is empty but for this mark, which is not a record. */
  private take(): string {
    const line = this.length > longestLine ? "too long" : this.parts.join("")
    this.parts = []
    this.length = 0
    return line
  }

  private split(text: string): ReadonlyArray<string> {
    const lines = text.split("\n")
    const rest = lines.pop() ?? ""
    if (lines[0] !== undefined && this.length > 0) {
      this.keep(lines[0])
      lines[0] = this.take()
    }
    this.keep(rest)
    return lines
  }

  /** The lines that end with these bytes. */
  push(bytes: Uint8Array): ReadonlyArray<string> {
    return this.split(this.decoder.decode(bytes, { stream: true }))
  }

  /** What comes after the last line end; empty where nothing does. Begins anew. */
  end(): string {
    this.keep(this.decoder.decode())
    this.decoder = new TextDecoder()
    return this.take()
  }
}
