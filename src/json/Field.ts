/**
 * Schemas for configuration fields that people write. Error messages show a schema's `identifier`, and the `expected`
 * of its checks, after "expected". Each schema is a function because building all of them takes 2 ms of every run, and
 * most configurations use only a few.
 */
import * as Schema from "effect/Schema"
import * as GoDuration from "./GoDuration.ts"

export const text = () => Schema.String.annotate({ identifier: "a string" })

/** A string that matches a pattern. `expected` describes the pattern in error messages. */
export const matching = (pattern: RegExp, expected: string) =>
  Schema.String.annotate({ identifier: expected }).check(Schema.isPattern(pattern, { expected }))

export const oneOf = <const Values extends ReadonlyArray<string>>(values: Values) =>
  Schema.Literals(values).annotate({ identifier: values.map((value) => JSON.stringify(value)).join(" or ") })

/** A non-empty string without NUL. */
export const filled = () => matching(/^[^\0]+$/u, "a string that is not empty")

/** An argument of a program. It may be empty, but execve(2) cannot pass a NUL. */
export const argument = () => matching(/^[^\0]*$/u, "a string without NUL")

/** A program name that syslog and the journal accept: RFC 5424 allows 48 characters. */
export const identifier = () => matching(/^[!-~]{1,48}$/u, "1 to 48 visible ASCII characters")

const expectedDuration = "a duration such as \"30s\", \"500ms\" or \"1m30s\"; 0 turns it off"

/** A Go duration such as `1m30s`, or the number 0. */
export const duration = () =>
  Schema.Union([Schema.Literal(0), matching(GoDuration.pattern, expectedDuration)])
    .annotate({ identifier: expectedDuration })
