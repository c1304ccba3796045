/** The records of an operation, as taps log them. */
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import type { Record } from "../../src/record/Record.ts"

/** A moment, in milliseconds after the operation began. */
export const at = (milliseconds: number) => new Date(Date.UTC(2026, 10, 24, 10) + milliseconds).toISOString()

/** What all records of a run have. */
export const common = (invocation: string, time: number, label?: string) => ({
  time: at(time),
  invocation,
  command: "ADD",
  containerId: "5c01f03d8d6d",
  ifname: "eth0",
  netns: "/run/netns/demo",
  network: "podman",
  ...(label === undefined ? {} : { label })
})

const before = { cniVersion: "1.0.0", ips: [{ address: "10.88.0.2/16", gateway: "10.88.0.1" }] }
const after = { ...before, dns: { nameservers: ["10.88.0.1"] } }

/** A hook that succeeded. */
export const hook = {
  command: "iptables -t nat -S",
  netns: "host",
  exitCode: 0,
  signal: null,
  timedOut: false,
  truncated: false,
  durationMs: 12.5,
  stdout: "-P INPUT\n-P OUTPUT\n",
  stderr: ""
}

/** A plugin that succeeded. */
export const plugin = {
  type: "portmap",
  file: "/opt/cni/bin/portmap",
  exitCode: 0,
  signal: null,
  durationMs: 12.5,
  stderr: "",
  truncated: false
}

/** Two taps, of which the second one fails. */
export const chained = [
  {
    ...common("1", 0, "before-portmap"),
    event: "request",
    args: "K8S_POD_NAME=web",
    config: { type: "passthrough", prevResult: before }
  },
  { ...common("1", 10, "before-portmap"), event: "hook", hook, durationMs: 12.5 },
  { ...common("1", 14, "before-portmap"), event: "result", result: before, durationMs: 14 },
  { ...common("2", 40, "after-portmap"), event: "request", config: { type: "passthrough", prevResult: after } },
  {
    ...common("2", 45, "after-portmap"),
    event: "hook",
    hook: { ...hook, command: "false", exitCode: 1, stdout: "", stderr: "\u001b[31mred\u001b[0m" },
    durationMs: 1
  },
  {
    ...common("2", 47, "after-portmap"),
    event: "error",
    error: { code: 100, msg: "hook \"false\" failed with exit status 1" },
    durationMs: 7
  }
]

/** A plugin that `run` called, and how it went. */
export const called = (outcome: object, end: object) => [
  { ...common("1", 0, "portmap"), event: "request", config: { type: "portmap", prevResult: before } },
  { ...common("1", 14, "portmap"), event: "plugin", plugin: { ...plugin, ...outcome }, durationMs: 12.5 },
  { ...common("1", 14, "portmap"), durationMs: 13, ...end }
]

/** A network that the plugin bridge makes, with addresses of host-local. */
const bridge = { cniVersion: "1.0.0", name: "podman", type: "bridge", ipam: { type: "host-local" } }

/** What a wrapped plugin is about, and how it went. */
interface Wrapped {
  readonly type: string
  readonly start: number
  /** How long it took, in milliseconds. */
  readonly took: number
  /** Members of all records. */
  readonly members?: object
  /** Members of its configuration. */
  readonly config?: object
  /** How the plugin ended; undefined where it was killed together with what is around it. */
  readonly outcome?: object | undefined
  /** The last record. */
  readonly end?: object | undefined
}

/** The records of a wrapped plugin. */
export const wrapped = (invocation: string, run: Wrapped): ReadonlyArray<object> => {
  const { config = {}, end = { event: "result" }, members = {}, outcome = {}, start, took, type } = run
  const record = (time: number) => ({ ...common(invocation, time, type), cniVersion: "1.0.0", ...members })
  const ended = { type, file: `/opt/cni/bin/.passthrough/plugins/${type}`, durationMs: took }
  return [
    { ...record(start), event: "request", config: { ...bridge, ...config } },
    { ...record(start + took), event: "plugin", plugin: { ...plugin, ...ended, ...outcome }, durationMs: took },
    { ...record(start + took), durationMs: took, ...end }
  ]
}

/** What instrumented taps saw: each took 5 ms, and 20 ms are between two of them. */
export const tapped = (
  container: string,
  command: string,
  start: number,
  labels: ReadonlyArray<string>,
  { output = () => undefined, result }: {
    readonly output?: (index: number) => string | undefined
    readonly result?: object
  } = {}
): ReadonlyArray<object> =>
  labels.flatMap((label, index) => {
    const prevResult = result === undefined ? {} : { prevResult: result }
    const record = (time: number) => ({
      ...common(`${container}/${command}/${index}`, start + index * 25 + time, label),
      containerId: container,
      cniVersion: "1.0.0",
      command
    })
    const stdout = output(index)
    return [
      { ...record(0), event: "request", config: { type: "passthrough", ...prevResult } },
      ...(stdout === undefined ? [] : [{ ...record(4), event: "hook", hook: { ...hook, stdout }, durationMs: 3 }]),
      { ...record(5), event: "result", durationMs: 5, ...(result === undefined ? {} : { result }) }
    ]
  })

/** Records, read from objects or from the lines that they are. */
export const read = (lines: ReadonlyArray<object | string>): ReadonlyArray<Record> =>
  lines.map((line) => {
    const record = JsonFormat.read(typeof line === "string" ? line : JSON.stringify(line))
    if (record === undefined) throw new Error(`not a record: ${String(line)}`)
    return record
  })
