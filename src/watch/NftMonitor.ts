/** Reads what `nft monitor` prints: lines for what a process changed, and then a line that names the process. */

/** What happened to a chain, a set or a table. */
export interface Counts {
  /** How many of its rules or elements came and went. */
  readonly added: number
  readonly removed: number
  /** Whether it came or went itself, or got another policy or other flags. */
  readonly isChanged: boolean
}

/** The process that the kernel names for a change. Its name has at most 15 characters. */
export interface Committer {
  readonly pid: number
  readonly name: string
}

/** Changes of the packet filter that took effect at once. */
export interface Commit {
  /** Undefined if this version of `nft`, or of the kernel, does not name it. */
  readonly committer: Committer | undefined
  /** What was touched, by family, table and name: `inet filter input`; for the table itself `inet filter`. */
  readonly touched: ReadonlyMap<string, Counts>
}

/** What a line says: a part of a commit, the end of one, or that events were lost. */
export type Said = "part" | "lost" | Commit | undefined

const action = /^(add|insert|create|replace|delete|destroy) (?:ct )?([a-z]+) (\S+) (\S+)(?: (\S+))?/
const end = /^# new generation \d+(?: by process (\d+) \((.*)\))?$/

const none: Counts = { added: 0, removed: 0, isChanged: false }

/** Counts the lines of a commit, and keeps none of them: there may be tens of thousands. */
export class Reader {
  private touched = new Map<string, Counts>()
  private readonly isIgnored: (table: string) => boolean
  private isOfIgnored = false

  /** Ignores tables with such names. */
  constructor(isIgnored: (table: string) => boolean) {
    this.isIgnored = isIgnored
  }

  line(line: string): Said {
    if (line.startsWith("# ERROR")) return "lost"
    const [isEnd, pid, name = ""] = end.exec(line) ?? []
    if (isEnd !== undefined) return this.commit(pid === undefined ? undefined : { pid: Number(pid), name })
    const [, verb = "", kind = "", family = "", table = "", own] = action.exec(line) ?? []
    if (verb === "") return undefined
    if (this.isIgnored(table)) {
      this.isOfIgnored = true
      return undefined
    }
    const key = kind === "table" || own === undefined ? `${family} ${table}` : `${family} ${table} ${own}`
    const { added, isChanged, removed } = this.touched.get(key) ?? none
    const isContent = kind === "rule" || kind === "element"
    const [isGone, isNew] = [/^(?:delete|destroy|replace)$/.test(verb), !/^(?:delete|destroy)$/.test(verb)]
    this.touched.set(key, {
      added: added + (isContent && isNew ? 1 : 0),
      removed: removed + (isContent && isGone ? 1 : 0),
      isChanged: isChanged || !isContent
    })
    return "part"
  }

  private commit(committer: Committer | undefined): Commit | undefined {
    const { isOfIgnored, touched } = this
    this.touched = new Map()
    this.isOfIgnored = false
    // A commit of nothing but ignored tables did not happen. One without lines has something that nft does not print.
    return touched.size === 0 && isOfIgnored ? undefined : { committer, touched }
  }
}
