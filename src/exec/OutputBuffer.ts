/** The first part of what a program writes. The rest is read too, so that the program is not held up, and dropped. */
export class OutputBuffer {
  private readonly chunks: Array<Uint8Array> = []
  private length = 0
  readonly limit: number
  /** Whether there was more. */
  truncated = false

  /** Keeps up to `limit` bytes. */
  constructor(limit: number) {
    this.limit = limit
  }

  /** Takes the next bytes, which must not change any more. */
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
