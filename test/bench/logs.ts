/** `show` and `report` of a large log. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Executables from "./executables.ts"
import { folder } from "./folder.ts"
import { inTurn, isMissing, peak, type Row, row, type Start } from "./measure.ts"
import * as Requests from "./requests.ts"

/** How many pods the log is about. Each has 18 records: three plugins, for ADD and DEL, with three records each. */
const pods = 5556

const chain = ["bridge", "portmap", "firewall"]

const config = {
  cniVersion: "1.0.0",
  name: "pods",
  isGateway: true,
  ipMasq: true,
  ipam: { type: "host-local", ranges: [[{ subnet: "10.88.0.0/16" }]] }
}

/** The records of a pod, as the plugin writes them where it is wrapped around its plugins. */
const recordsOf = (pod: number): string => {
  const containerId = pod.toString(16).padStart(64, "5")
  const result = {
    cniVersion: "1.0.0",
    interfaces: [{ name: "eth0", mac: "02:00:00:00:00:01", sandbox: `/run/netns/${pod}` }],
    ips: [{ address: `10.88.${pod >> 8}.${pod & 255}/16`, gateway: "10.88.0.1", interface: 0 }]
  }
  let time = Date.UTC(2026, 10, 24) + pod * 1000
  return ["ADD", "DEL"].flatMap((command) =>
    chain.flatMap((type, index) => {
      const run = (2 * pod + Number(command === "DEL")) * chain.length + index
      const invocation = run.toString(16).padStart(8, "0")
      const next = (event: string, members: object) => {
        time += 5
        return `${
          JSON.stringify({
            time: new Date(time).toISOString(),
            invocation,
            label: type,
            event,
            command,
            containerId,
            ...members
          })
        }\n`
      }
      const request = {
        ifname: "eth0",
        netns: `/run/netns/${pod}`,
        args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-${pod}`,
        path: "/opt/cni/bin",
        cniVersion: "1.0.0",
        network: "pods"
      }
      const plugin = {
        type,
        file: `/opt/cni/bin/${type}`,
        exitCode: 0,
        signal: null,
        durationMs: 4,
        stderr: "",
        truncated: false
      }
      const given = index === 0 && command === "ADD" ? {} : { prevResult: result }
      return [
        next("request", { ...request, config: { ...config, type, ...given } }),
        next("plugin", { durationMs: 4, plugin }),
        next("result", command === "ADD" ? { durationMs: 5, result } : { durationMs: 5 })
      ]
    })
  ).join("")
}

const makeLog = (): string => {
  const log = Path.join(folder, "large.jsonl")
  const file = Fs.openSync(log, "w")
  for (let pod = 0; pod < pods; pod++) Fs.writeSync(file, recordsOf(pod))
  Fs.closeSync(file)
  return log
}

const lines = (
  name: string,
  args: ReadonlyArray<string>,
  budget: { readonly seconds: number; readonly mib: number }
): ReadonlyArray<Row> => {
  const start = (command: Executables.Executable): Start => Requests.plain([...command.argv, ...args])
  const starts = {
    standalone: start(Executables.standalone().command),
    script: start(Executables.script().command)
  }
  const results = inTurn(3, starts, 0)
  return (["standalone", "script"] as const).flatMap((form): ReadonlyArray<Row> => {
    const memory = peak(starts[form])
    const about = { what: `${form}, ${name}, peak memory`, unit: "MiB", budget: budget.mib } as const
    return [
      row(results, {
        what: `${form}, ${name}`,
        unit: "s",
        budget: budget.seconds,
        runs: [form],
        of: (ms = 0) => ms / 1000
      }),
      isMissing(memory) ? { ...about, reason: memory.reason } : { ...about, value: memory.mib }
    ]
  })
}

export const show = (): ReadonlyArray<Row> =>
  lines("show of 100,000 records", ["show", makeLog()], { seconds: 1.2, mib: 200 })

export const report = (): ReadonlyArray<Row> =>
  lines("report of 100,000 records", ["report", makeLog(), "-o", Path.join(folder, "report.html")], {
    seconds: 2,
    mib: 300
  })
