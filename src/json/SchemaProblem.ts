/** Describes why a value does not match a schema. Messages use the `identifier` of the schema. */
import type { Issue } from "effect/SchemaIssue"
import * as Json from "./Json.ts"
import type { Path } from "./JsonText.ts"

/** A value that does not match its schema, and its path. */
export interface Problem {
  readonly path: Path
  /** States what was found and what was expected. */
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

/** Reports that the value at a path is not what was expected. */
export const at = (root: unknown, path: Path, expected: string): Problem => ({
  path,
  message: `found ${Json.describe(valueAt(root, path))}, expected ${expected}`
})

/** The annotation `tag` of a union: the key that distinguishes its members, and the values that it may have. */
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
    case "AnyOf": {
      // If one member of the union matches except for a part of it, report only that part.
      const deeper = issue.issues.flatMap((inner) => found(inner, root, path))
        .filter((problem) => problem.path.length > path.length)
      if (deeper.length > 0) return deeper
      const tag = issue.ast.annotations?.["tag"] as Tag | undefined
      if (tag !== undefined && Json.isObject(valueAt(root, path))) return [at(root, [...path, tag.key], tag.expected)]
    }
  }
  return [at(root, path, expectation(issue))]
}

/** Returns all problems of `root`, in document order. */
export const of = (issue: Issue, root: unknown): ReadonlyArray<Problem> => found(issue, root, [])
