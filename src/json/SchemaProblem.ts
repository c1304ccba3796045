/** What a schema finds wrong with a value, in words. The `identifier` of a schema is what a person reads. */
import type { Issue } from "effect/SchemaIssue"
import * as Json from "./Json.ts"
import type { Path } from "./JsonText.ts"

/** What is wrong, and where. */
export interface Problem {
  readonly path: Path
  /** What was found, and what was expected. */
  readonly message: string
}

const valueAt = (root: unknown, path: Path): unknown =>
  path.reduce<unknown>((parent, key) => Reflect.get(Object(parent), key), root)

const expectation = (issue: Issue): string => {
  switch (issue._tag) {
    case "Filter":
      return String(issue.filter.annotations?.["expected"])
    case "InvalidType":
    case "AnyOf":
      return String(issue.ast.annotations?.["identifier"])
    case "MissingKey":
      return String(issue.annotations?.["messageMissingKey"] ?? "a value")
    default:
      return "another value"
  }
}

/** The problem that the value at a path is not what was expected. */
export const at = (root: unknown, path: Path, expected: string): Problem => ({
  path,
  message: `found ${Json.describe(valueAt(root, path))}, expected ${expected}`
})

/** The annotation `tag` of a union: the key that tells its members from each other, and what it may be. */
interface Tag {
  readonly key: string
  readonly expected: string
}

const found = (issue: Issue, root: unknown, path: Path): ReadonlyArray<Problem> => {
  switch (issue._tag) {
    case "Pointer":
      return found(issue.issue, root, [...path, ...issue.path as Path])
    case "Composite":
      return issue.issues.flatMap((inner) => found(inner, root, path))
    case "Encoding":
      return found(issue.issue, root, path)
    case "AnyOf": {
      // One member fits but for a part of it: that part is what to mend.
      const deeper = issue.issues.flatMap((inner) => found(inner, root, path))
        .filter((problem) => problem.path.length > path.length)
      if (deeper.length > 0) return deeper
      const tag = issue.ast.annotations?.["tag"] as Tag | undefined
      if (tag !== undefined && Json.isObject(valueAt(root, path))) return [at(root, [...path, tag.key], tag.expected)]
    }
  }
  return [at(root, path, expectation(issue))]
}

/** All that is wrong with `root`, in its order. */
export const of = (issue: Issue, root: unknown): ReadonlyArray<Problem> => found(issue, root, [])
