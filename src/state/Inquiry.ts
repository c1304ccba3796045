/** What is asked, and what becomes of the answer. */
import type { Kind } from "./Kind.ts"
import type { Question } from "./Tool.ts"

/** A question to a tool about facts of these kinds. */
export interface Inquiry extends Question {
  readonly kinds: ReadonlyArray<Kind>
  /** Takes the answer, and returns what is to be asked because of it. */
  readonly take: (answer: string) => ReadonlyArray<Inquiry>
  /** What is to be asked where there is no such tool. Default: these kinds cannot be looked at. */
  readonly otherwise?: () => ReadonlyArray<Inquiry>
}
