/** Splits bytes that arrive in pieces into lines. */

/** The longest line that is read, in characters: many times the size of a record with all that a plugin may write. */
export const longestLine = 64 * 1_048_576

/** Splits bytes at line ends. */
export class Splitter {
  private decoder = new TextDecoder()
  /** The incomplete line, and its length. A line that is too long loses its parts. */
  private parts: Array<string> = []
  private length = 0

  private keep(part: string): void {
    if (part === "") return
    this.length += part.length
    if (this.length > longestLine) this.parts = []
    else this.parts.push(part)
  }

  /** The line that has just been completed. One that is too long becomes this marker, which is not a record. */
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

  /** The lines that these bytes complete. */
  push(bytes: Uint8Array): ReadonlyArray<string> {
    return this.split(this.decoder.decode(bytes, { stream: true }))
  }

  /** The text after the last line end, which may be empty. The splitter can then be used again. */
  end(): string {
    this.keep(this.decoder.decode())
    this.decoder = new TextDecoder()
    return this.take()
  }
}
