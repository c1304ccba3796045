/** What is asked, and what becomes of the answer. */
import type { Question } from "./NamespaceTools.ts"
import type { Finding } from "./Snapshot.ts"
import type { Kind } from "./StateKind.ts"

/** A question to a tool about facts of these kinds. */
export interface Inquiry extends Question {
  readonly kinds: ReadonlyArray<Kind>
  /** Takes the answer, and returns what is to be asked because of it. */
  readonly take: (answer: string) => ReadonlyArray<Inquiry>
  /** What is to be asked where there is no such tool. Default: these kinds cannot be looked at. */
  readonly otherwise?: (() => ReadonlyArray<Inquiry>) | undefined
}

/** A question about one kind, whose answer has facts and leads to nothing else. */
export const about = (
  finding: Finding,
  kind: Kind,
  argv: Question["argv"],
  factsIn: (answer: string) => ReadonlyArray<string>,
  isLenient = false
): Inquiry => ({
  argv,
  isLenient,
  kinds: [kind],
  take: (answer) => {
    finding.add(kind, factsIn(answer))
    return []
  }
})
