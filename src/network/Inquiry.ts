/** A question, and how its answer is handled. */
import type { Question } from "./NamespaceTools.ts"
import type { Finding } from "./Snapshot.ts"
import type { Kind } from "./StateKind.ts"

/** A question to a tool about facts of these kinds. */
export interface Inquiry extends Question {
  readonly kinds: ReadonlyArray<Kind>
  /** Takes the answer, and returns the questions that follow from it. */
  readonly take: (answer: string) => ReadonlyArray<Inquiry>
  /** The questions to ask if the tool is missing. Default: these kinds cannot be inspected. */
  readonly otherwise?: (() => ReadonlyArray<Inquiry>) | undefined
}

/** A question about one kind. Its answer contains facts, and leads to no further question. */
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
