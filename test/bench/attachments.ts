/** `doctor` of many attachments: real ones, on a host that is made for them and gone with them. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Networks from "../e2e/support/networks.ts"
import * as Sandbox from "../e2e/support/sandbox.ts"
import { engines } from "../support/engines.ts"
import * as Executables from "./executables.ts"
import { command, fastestIn, type Row } from "./measure.ts"
import type { Spec, Start } from "./starts.bun.ts"

/** How many containers there are when doctor is asked. */
const counts = [20, 100] as const

const env = { PATH: "/tmp/bin:/usr/sbin:/usr/bin:/sbin:/bin", CNI_PATH: "/opt/cni/bin:/usr/lib/cni" }

const spec: Spec = {
  rounds: 3,
  warmups: 1,
  starts: {
    standalone: { argv: ["/tmp/bin/cni-passthrough", "doctor", "n"], env },
    script: { argv: ["/tmp/bin/cni-passthrough.js", "doctor", "n"], env }
  } satisfies { readonly [form: string]: Start }
}

/** Attaches containers until there are `count`, and asks doctor. */
const script = (from: number, count: number) => `
for i in $(seq ${from} ${count - 1}); do attach c$i; done
/tmp/bun /tmp/starts.bun.ts /tmp/spec.json > /tmp/samples-${count}
! command -v strace >/dev/null ||
  strace -f -qq -e trace=clone,clone3,fork,vfork -o /tmp/processes-${count} cni-passthrough doctor n > /tmp/said`

/** How many processes were started in a trace, and not threads. */
const processesIn = (trace: string): number =>
  trace.split("\n").filter((line) => /^\d+ +(?:clone3?|v?fork)\(/.test(line) && !line.includes("CLONE_THREAD")).length

/** Runs doctor of 20 and of 100 attachments. */
export const doctor = (): ReadonlyArray<Row> => {
  using sandbox = Sandbox.make()
  const at = (name: string) => Path.join(sandbox.tmp, name)
  const [, program] = command("")
  Fs.copyFileSync(Executables.standalone().command.argv[0], at("bin/cni-passthrough"))
  Fs.copyFileSync(Executables.script().command.argv[0], at("bin/cni-passthrough.js"))
  Fs.copyFileSync(engines.Bun, at("bun"))
  Fs.copyFileSync(program ?? "", at("starts.bun.ts"))
  Fs.writeFileSync(at("spec.json"), JSON.stringify(spec))
  sandbox.run([
    Networks.functions,
    "echo 1 > /proc/sys/net/ipv4/ip_forward",
    "answering",
    Networks.write({ "10-n.conflist": Networks.listOf(Networks.bridge) }),
    ...counts.map((count, index) => script(counts[index - 1] ?? 0, count))
  ].join("\n"))
  const [few, many] = counts.map((count) => fastestIn(Fs.readFileSync(at(`samples-${count}`), "utf8")))
  const seconds = (what: string, ms: number | undefined, budget?: number): Row => ({
    what,
    unit: "s",
    value: (ms ?? Number.NaN) / 1000,
    budget
  })
  const [fewProcesses, manyProcesses] = counts.map((count) =>
    Fs.existsSync(at(`processes-${count}`)) ? processesIn(Fs.readFileSync(at(`processes-${count}`), "utf8")) : undefined
  )
  const processes = { what: "processes for each further namespace", unit: "processes", budget: 2 } as const
  return [
    seconds("standalone, 20 attachments, by the clock", few?.["standalone"]?.clock, 1),
    seconds("standalone, 100 attachments, by the clock", many?.["standalone"]?.clock, 2),
    seconds("standalone, 100 attachments, by CPU time", many?.["standalone"]?.cpu, 1),
    seconds("script, 100 attachments, by the clock", many?.["script"]?.clock),
    seconds("script, 100 attachments, by CPU time", many?.["script"]?.cpu),
    fewProcesses === undefined || manyProcesses === undefined
      ? { ...processes, reason: "needs strace" }
      : { ...processes, value: (manyProcesses - fewProcesses) / (counts[1] - counts[0]) }
  ]
}
