/** Whether files are JSON at all, as Go reads it, and thus every runtime. */
import * as JsonSource from "../../json/JsonSource.ts"
import type { Check } from "../Check.ts"
import type { ConfigFile } from "../ConfigFile.ts"
import * as ConfigFileModule from "../ConfigFile.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"

const fixOf = (file: ConfigFile, { message }: JsonSource.Problem): Found["fix"] =>
  message.startsWith("a byte-order mark")
    ? Fix.run("remove the mark", Fix.command("sed -i", "1s/^\\xEF\\xBB\\xBF//", file.path))
    : /comma before/.test(message)
    ? "remove the comma"
    : message.startsWith("a comment")
    ? "remove the comment"
    : "correct the text at this place"

/** The places where a file is not JSON. */
export const problemsOf = (file: ConfigFile): ReadonlyArray<Found> => [
  ...ConfigFileModule.mend(file).problems.map((problem): Found => ({
    level: "error",
    message: problem.message,
    evidence: [file.text.slice(problem.offset).split("\n")[0]?.slice(0, 200) ?? ""].filter((line) => line !== ""),
    fix: fixOf(file, problem),
    ...ConfigFileModule.placeAt(file, problem.offset)
  })),
  ...file.beside.flatMap(problemsOf)
]

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
          fix: `remove ${JSON.stringify(key)} in line ${JsonSource.position(each.text, first).line} or in line ${
            JsonSource.position(each.text, last).line
          }, whichever is not meant`,
          ...ConfigFileModule.placeAt(each, last)
        }))
        : []
    )
  }
}
