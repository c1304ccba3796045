/**
 * Changes the sources at random, one small thing at a time, and prints the changes that no test notices.
 *
 *   npm run mutate -- json                            60 mutants of src/json
 *   npm run mutate -- json cni --seed 7               the same ones again, of two rooms
 *   npm run mutate -- json --seed 7 --seed 8          of two seeds, in little more time than of one
 *   npm run mutate -- doctor --mutants 20             fewer
 *   npm run mutate -- src/doctor/Cidr.ts              of one file
 *   npm run mutate -- cli --list                      names them, and runs nothing
 *   npm run mutate -- plugin --built                  with test/built too, which runs for minutes
 *
 * Each mutant meets those unit tests of its room, and those beside it that import its file, that reach its place, until one
 * fails. Everything runs in a sandbox of namespaces, as root. Exits with 1 where fewer than 90 % were noticed.
 */
import * as Fs from "node:fs"
import { parseArgs } from "node:util"
import { mutate } from "./Mutate.ts"

const usage = Fs.readFileSync(import.meta.filename, "utf8").split("\n").slice(1, 15).map((line) => line.slice(3))
const wanted = 0.9

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", multiple: true },
    mutants: { type: "string" },
    list: { type: "boolean" },
    built: { type: "boolean" },
    help: { type: "boolean" }
  }
})

if (values.help || positionals.length === 0) {
  process.stdout.write(`${usage.join("\n")}\n`)
  process.exit(values.help ? 0 : 2)
}

const seeds = (values.seed ?? [String(Math.floor(Math.random() * 10_000))]).map(Number)
const number = Number(values.mutants ?? 60)

for (const room of positionals) {
  const path = Fs.existsSync(`src/${room}`) ? `src/${room}` : room
  if (!Fs.existsSync(path)) {
    process.stderr.write(`neither src/${room} nor ${room} is there: name a folder of src, or a path\n`)
    process.exit(2)
  }
  const share = await mutate({
    path,
    seeds,
    number,
    list: values.list ?? false,
    built: values.built ?? false,
    patience: 10_000,
    print: (line) => void process.stdout.write(`${line}\n`)
  })
  if (share < wanted) process.exitCode = 1
}
