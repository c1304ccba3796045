/**
 * Keeps the first part of a program's output, and drops the rest. The rest must still be read, or the program would
 * block.
 */
export class OutputBuffer {
  private readonly chunks: Array<Uint8Array> = []
  private length = 0
  readonly limit: number
  /** Whether bytes were dropped. */
  truncated = false

  /** Keeps up to `limit` bytes. */
  constructor(limit: number) {
    this.limit = limit
  }

  /** Adds bytes. The caller must not change them afterwards. */
  take(chunk: Uint8Array): void {
    const part = chunk.subarray(0, this.limit - this.length)
    this.length += part.length
    if (part.length < chunk.length) this.truncated = true
    if (part.length > 0) this.chunks.push(part)
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.chunks)
  }
}
