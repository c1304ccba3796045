/**
 * Schemas of the values that people write into fields. What a person reads after "expected" is the `identifier` of a
 * schema, and the `expected` of a check on it. Each is made when it is asked for: making those of all fields takes 2 ms
 * of each run, and most configurations have few.
 */
import * as Schema from "effect/Schema"
import * as GoDuration from "./GoDuration.ts"

/** Any text. */
export const text = () => Schema.String.annotate({ identifier: "a string" })

/** A text of this form. */
export const matching = (pattern: RegExp, expected: string) =>
  Schema.String.annotate({ identifier: expected }).check(Schema.isPattern(pattern, { expected }))

/** One of these texts. */
export const oneOf = <const Values extends ReadonlyArray<string>>(values: Values) =>
  Schema.Literals(values).annotate({ identifier: values.map((value) => JSON.stringify(value)).join(" or ") })

/** A text that is not empty. */
export const filled = () => matching(/^[^\0]+$/u, "a string that is not empty")

/** An argument of a program. */
export const argument = () => matching(/^[^\0]*$/u, "a string without NUL")

/** A name of a program, as log daemons take it. */
export const identifier = () => matching(/^[!-~]{1,48}$/u, "1 to 48 visible ASCII characters")

const expectedDuration = "a duration such as \"30s\", \"500ms\" or \"1m30s\"; 0 turns it off"

/** A Go duration, or the number 0. */
export const duration = () =>
  Schema.Union([Schema.Literal(0), matching(GoDuration.pattern, expectedDuration)])
    .annotate({ identifier: expectedDuration })
