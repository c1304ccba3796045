/** Whether files are JSON at all, as Go and so all runtimes read it. */
import * as JsonSource from "../../json/JsonSource.ts"
import type { Check } from "../Check.ts"
import type { ConfigFile } from "../ConfigFile.ts"
import * as ConfigFileModule from "../ConfigFile.ts"
import type { Found } from "../Finding.ts"
import * as Shell from "../Shell.ts"

const byteOrderMark = "\uFEFF"

const fixOf = (file: ConfigFile, { message }: JsonSource.Problem): string =>
  file.text.startsWith(byteOrderMark)
    ? `sed -i '1s/^\\xEF\\xBB\\xBF//' ${Shell.word(file.path)}`
    : /comma before/.test(message)
    ? "remove the comma"
    : message.startsWith("a comment")
    ? "remove the comment"
    : "correct the text at this place"

/** Where a file is not JSON. */
export const problemsOf = (file: ConfigFile): ReadonlyArray<Found> => {
  const own: ReadonlyArray<Found> = JsonSource.isSource(file.outcome) ? [] : [{
    level: "error",
    message: file.outcome.message,
    evidence: [file.text.slice(file.outcome.offset).split("\n")[0]?.slice(0, 200) ?? ""].filter((line) => line !== ""),
    fix: fixOf(file, file.outcome),
    ...ConfigFileModule.placeAt(file, file.outcome.offset)
  }]
  return [...own, ...file.beside.flatMap(problemsOf)]
}

export const json: Check = {
  id: "json",
  phase: "configuration",
  find: ({ file }) => file === undefined ? { skipped: "there is no file" } : problemsOf(file)
}

export const duplicateKeys: Check = {
  id: "duplicate-keys",
  phase: "configuration",
  find: ({ file }) => {
    if (file === undefined) return { skipped: "there is no file" }
    return [file, ...file.beside].flatMap((each) =>
      JsonSource.isSource(each.outcome)
        ? JsonSource.duplicates(each.outcome).map(({ first, key, last }): Found => ({
          level: "warning",
          message: `the key ${JSON.stringify(key)} is there twice: what it says in line ${
            JsonSource.position(each.text, first).line
          } is lost`,
          evidence: [],
          fix: "remove the one that is not meant",
          ...ConfigFileModule.placeAt(each, last)
        }))
        : []
    )
  }
}
