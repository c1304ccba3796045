/**
 * Feeds the built plugin with requests that are half right.
 *
 *   npm run fuzz                          for a minute
 *   npm run fuzz -- --seconds 600         for ten
 *   npm run fuzz -- --seed 42             the same requests again
 *   npm run fuzz -- --only 42000123       one request again
 *
 * PASSTHROUGH_FORM=standalone is for the executable that needs no Node.js. Exits with 1 where a promise was broken.
 */
import * as Os from "node:os"
import { parseArgs } from "node:util"
import { isStandalone } from "../support/plugin.ts"
import { check } from "./check.ts"

const { values } = parseArgs({
  options: { seconds: { type: "string" }, seed: { type: "string" }, only: { type: "string" } }
})
const seconds = Number(values.seconds ?? 60)
const seed = Number(values.seed ?? Math.floor(Math.random() * 4000))

let next = seed * 1_000_000
let runs = 0
const broken: Array<string> = []

const tryOne = async (number: number) => {
  const problems = await check(number)
  runs++
  if (problems.length > 0) {
    broken.push(`--only ${number}: ${problems.join("; ")}`)
    process.stdout.write(`${broken.at(-1)}\n`)
  }
}

process.stdout.write(`seed ${seed}, the ${isStandalone ? "standalone executable" : "script"}\n`)
if (values.only !== undefined) await tryOne(Number(values.only))
else {
  const end = Date.now() + seconds * 1000
  await Promise.all(Array.from({ length: Os.availableParallelism() * 2 }, async () => {
    while (Date.now() < end) await tryOne(next++)
  }))
}
process.stdout.write(`${runs} requests, ${broken.length} broken promises\n`)
process.exitCode = broken.length > 0 ? 1 : 0
