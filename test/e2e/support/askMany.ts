/**
 * Asks doctor about networks one after another, on one host and in one process. It is bundled into a sandbox, where it
 * reads the cases and writes the answers.
 */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { doctor } from "../../../src/cli/commands/Doctor.ts"
import * as Command from "../../support/command.ts"
import type { Answer, Network } from "./networks.ts"

const folder = "/etc/cni/net.d"

/** The words of a shell's command line, as far as the catalogue uses them. */
const wordsOf = (line: string): ReadonlyArray<string> =>
  (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ""))

const ask = Effect.fnUntraced(function*({ ask = "n", files }: Network) {
  for (const name of Fs.readdirSync(folder)) Fs.rmSync(`${folder}/${name}`)
  for (const [name, content] of Object.entries(files)) {
    Fs.writeFileSync(`${folder}/${name}`, typeof content === "string" ? content : JSON.stringify(content))
  }
  const { status, stderr, stdout } = yield* Command.printed(doctor, ...wordsOf(ask), "--json")
  return { ...(stdout === "" ? { findings: [], checks: [] } : JSON.parse(stdout)), status, stderr } satisfies Answer
})

const [, , cases = "", answers = ""] = process.argv
const networks: { readonly [name: string]: Network } = JSON.parse(Fs.readFileSync(cases, "utf8"))

await Effect.runPromise(
  Effect.forEach(
    Object.entries(networks),
    ([name, network]) =>
      Effect.map(ask(network), (answer) => Fs.writeFileSync(`${answers}/${name}.json`, JSON.stringify(answer)))
  ).pipe(
    Effect.provide(Command.host)
  )
)
