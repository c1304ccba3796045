/** What was found in network namespaces at one moment. */
import type { Kind } from "./StateKind.ts"

/** The facts of one namespace by their kind. A kind that was not asked for, or could not be looked at, is not in it. */
export type Facts = ReadonlyMap<Kind, ReadonlySet<string>>

/** The facts of the host and of the container at one moment. */
export interface Snapshot {
  readonly host: Facts
  /** Empty where there is no container. */
  readonly container: Facts
  /** What could not be looked at, and why. */
  readonly notes: ReadonlyArray<string>
}

/** Collects what is found in one namespace. */
export class Finding {
  private readonly lines = new Map<Kind, Array<string>>()
  private readonly failed: (kinds: ReadonlyArray<Kind>, problem: string) => void

  /** For these kinds. What goes wrong is told to `failed`, with the kinds that it is about. */
  constructor(kinds: ReadonlyArray<Kind>, failed: (kinds: ReadonlyArray<Kind>, problem: string) => void) {
    this.failed = failed
    for (const kind of kinds) this.lines.set(kind, [])
  }

  /** Whether one of these kinds is wanted. */
  wants(...kinds: ReadonlyArray<Kind>): boolean {
    return kinds.some((kind) => this.lines.has(kind))
  }

  /** Takes facts of a kind, where it is wanted. */
  add(kind: Kind, facts: ReadonlyArray<string>): void {
    const lines = this.lines.get(kind)
    for (const fact of facts) lines?.push(fact)
  }

  /** Gives up these kinds, as half of their facts would be differences that are not there. */
  fail(kinds: ReadonlyArray<Kind>, problem: string): void {
    const wanted = kinds.filter((kind) => this.lines.delete(kind))
    if (wanted.length > 0) this.failed(wanted, problem)
  }

  /** What was found. Of equal facts, such as rules that are there twice, each but the first has its number. */
  facts(): Facts {
    return new Map([...this.lines].map(([kind, lines]) => {
      const facts = new Set(lines)
      if (facts.size === lines.length) return [kind, facts]
      facts.clear()
      const counts = new Map<string, number>()
      for (const line of lines) {
        const count = (counts.get(line) ?? 0) + 1
        counts.set(line, count)
        facts.add(count === 1 ? line : `${line} #${count}`)
      }
      return [kind, facts]
    }))
  }
}
