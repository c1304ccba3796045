/** What nft and iptables printed while `trace` followed a packet, in the namespaces of the host and of a pod. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Ruleset from "../../src/trace/Ruleset.ts"
import * as TraceOutput from "../../src/trace/TraceOutput.ts"

const read = (name: string): string => {
  const file = Path.join(import.meta.dirname, "captured", `${name}.txt`)
  return Fs.existsSync(file) ? Fs.readFileSync(file, "utf8") : ""
}

/** The name that the table of `trace` has in these files. */
export const ownTable = "cni-passthrough-trace-1"

/** A packet that was answered, or rejected, and what was seen of it in one namespace. */
export const of = (name: "answered" | "rejected", place: "web" | "host") => ({
  events: read(`${name}-${place}`).split("\n").flatMap((line) => TraceOutput.parse(line) ?? []),
  lines: read(`${name}-${place}`).trim().split("\n"),
  ruleset: Ruleset.parse(read(`${name}-${place}.ruleset`), { ip: read(`${name}-${place}.iptables`), ip6: "" })
})
