/** Writes a text to stderr several times, and prints what came of it: for people where the first argument says so. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Stderr from "../../../src/exec/Stderr.ts"

const [kind, text = "", times = "1"] = process.argv.slice(2)

const write = kind === "notice" ? Stderr.notice : Stderr.write

const message = (text: string) =>
  Effect.match(write(text), { onFailure: (error) => error.message, onSuccess: () => "written" })

const messages: Array<string> = []
const before = Fs.readdirSync("/proc/self/fd").length
for (let left = Number(times); left > 0; left--) {
  messages.push(await Effect.runPromise(message(/^\d+$/.test(text) ? "x".repeat(Number(text)) : text)))
}
const after = Fs.readdirSync("/proc/self/fd").length
const [, flags = ""] = /^flags:\s*(\d+)/m.exec(Fs.readFileSync("/proc/self/fdinfo/2", "utf8")) ?? []
process.stdout.write(
  JSON.stringify({ messages, opened: after - before, waits: (Number.parseInt(flags, 8) & 0o4000) === 0 })
)
