/** The state of network namespaces at one moment. */
import type { Kind } from "./StateKind.ts"

/** The facts of one namespace by kind. A kind that was not requested, or could not be inspected, is absent. */
export type Facts = ReadonlyMap<Kind, ReadonlySet<string>>

/** The facts of the host and of the container at one moment. */
export interface Snapshot {
  readonly host: Facts
  /** Empty if there is no container. */
  readonly container: Facts
  /** What could not be inspected, and why. */
  readonly notes: ReadonlyArray<string>
}

/** Collects the facts of one namespace. */
export class Finding {
  private readonly lines = new Map<Kind, Array<string>>()
  private readonly failed: (kinds: ReadonlyArray<Kind>, problem: string) => void

  /** Collects these kinds. Reports problems to `failed`, with the kinds that they affect. */
  constructor(kinds: ReadonlyArray<Kind>, failed: (kinds: ReadonlyArray<Kind>, problem: string) => void) {
    this.failed = failed
    for (const kind of kinds) this.lines.set(kind, [])
  }

  /** Whether one of these kinds is wanted. */
  wants(...kinds: ReadonlyArray<Kind>): boolean {
    return kinds.some((kind) => this.lines.has(kind))
  }

  /** Adds facts of a kind, if it is wanted. */
  add(kind: Kind, facts: ReadonlyArray<string>): void {
    const lines = this.lines.get(kind)
    for (const fact of facts) lines?.push(fact)
  }

  /** Drops these kinds: an incomplete list of facts would show differences that do not exist. */
  fail(kinds: ReadonlyArray<Kind>, problem: string): void {
    const wanted = kinds.filter((kind) => this.lines.delete(kind))
    if (wanted.length > 0) this.failed(wanted, problem)
  }

  /** The facts found. Equal facts, such as duplicate rules, are numbered, except the first one. */
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
