/** Spans that wait to be sent, in bounded memory: the oldest make room for new ones. */
import type { Span } from "./Spans.ts"

/** About the most bytes that wait. */
const limit = 16 * 1_048_576

/** The most spans, and about the most bytes, that are sent at once. */
const batchLimit = { spans: 512, bytes: 1_048_576 }

interface Entry {
  readonly span: Span
  /** The length of its JSON text. */
  readonly size: number
}

export class SpanQueue {
  private waiting: Array<Entry> = []
  /** The index of the oldest entry. */
  private first = 0
  private bytes = 0
  /** How many spans made room for others. */
  dropped = 0

  get length(): number {
    return this.waiting.length - this.first
  }

  private shift(): Entry | undefined {
    const entry = this.waiting[this.first]
    if (entry === undefined) return undefined
    this.first++
    this.bytes -= entry.size
    if (this.first > 1024 && this.first * 2 > this.waiting.length) {
      this.waiting = this.waiting.slice(this.first)
      this.first = 0
    }
    return entry
  }

  push(spans: ReadonlyArray<Span>): void {
    for (const span of spans) {
      const size = JSON.stringify(span).length
      this.waiting.push({ span, size })
      this.bytes += size
    }
    while (this.bytes > limit && this.length > 1) {
      this.shift()
      this.dropped++
    }
  }

  /** Whether there is enough for a batch. */
  get hasBatch(): boolean {
    return this.length >= batchLimit.spans || this.bytes >= batchLimit.bytes
  }

  /** Takes the oldest spans, as many as are sent at once. */
  take(): ReadonlyArray<Span> {
    const batch: Array<Span> = []
    for (let bytes = 0; batch.length < batchLimit.spans && bytes < batchLimit.bytes;) {
      const entry = this.shift()
      if (entry === undefined) break
      batch.push(entry.span)
      bytes += entry.size
    }
    return batch
  }
}
