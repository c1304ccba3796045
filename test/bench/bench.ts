/**
 * Whole processes side by side, interleaved, after a warm-up. What counts are the ratios within one run; times differ
 * from machine to machine.
 *
 *   npm run bench                      against other ways to do the same job, and against the budgets
 *   npm run bench -- --against DIR     against another build too, whose `dist` is DIR: is this one slower?
 *   npm run bench -- --json            for machines
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { parseArgs } from "node:util"
import * as Stub from "../../src/wrap/Stub.ts"
import { buildIn } from "../support/build.ts"
import { repository } from "../support/plugin.ts"

const { values: options } = parseArgs({ options: { against: { type: "string" }, json: { type: "boolean" } } })
const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "passthrough-bench-"))
process.on("exit", () => Fs.rmSync(folder, { recursive: true }))
const env = {
  PATH: `${Path.dirname(process.execPath)}:${process.env["PATH"]}`,
  CNI_CONTAINERID: "bench-1",
  CNI_NETNS: "/run/netns/no-such-namespace",
  CNI_IFNAME: "eth0",
  CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAME=web-0",
  CNI_PATH: "/opt/cni/bin"
}

type Contestant = readonly [program: string, ...args: ReadonlyArray<string>]

interface Contestants {
  readonly [name: string]: Contestant
}

/** The two forms of a build. */
const formsIn = (dist: string) => ({
  standalone: [Path.join(dist, "standalone/passthrough")],
  script: [Path.join(dist, "passthrough")]
} as const)

/** An executable of the same make with nothing in it: what the runtime costs. */
const emptyStandalone = (): Contestant => {
  const config = Fs.readFileSync(Path.join(repository, "esbuild.config.mjs"), "utf8")
  for (const [, source = ""] of config.matchAll(/"(src\/[^"]+)"/g)) {
    const file = Path.join(folder, "empty", source)
    Fs.mkdirSync(Path.dirname(file), { recursive: true })
    Fs.writeFileSync(file, "")
  }
  buildIn(Path.join(folder, "empty"))
  return [Path.join(folder, "empty/dist/standalone/passthrough")]
}

/** The Go plugin, where Go and Debian's CNI sources are installed. */
const goTap = (): Contestant | undefined => {
  const outfile = Path.join(folder, "go-tap")
  const { status } = ChildProcess.spawnSync("go", ["build", "-o", outfile, "."], {
    cwd: Path.join(import.meta.dirname, "go-tap"),
    env: { ...process.env, GO111MODULE: "off", GOPATH: "/usr/share/gocode" }
  })
  return status === 0 ? [outfile] : undefined
}

const available = (contestants: { readonly [name: string]: Contestant | undefined }): Contestants =>
  Object.fromEntries(
    Object.entries(contestants).filter((entry): entry is [string, Contestant] => entry[1] !== undefined)
  )

const has = (program: string) => ChildProcess.spawnSync(program, ["--version"]).error === undefined

const taps = formsIn(Path.join(repository, "dist"))
const runtimes: Contestants = {
  "empty standalone": emptyStandalone(),
  "node -e 0": [process.execPath, "-e", "0"]
}
const plugins = available({
  ...taps,
  "bash and jq": has("jq") ? [Path.join(import.meta.dirname, "shell-tap.sh")] : undefined,
  "Go on pkg/skel": goTap()
})

/** The Go plugin, wrapped with each form of ours: what a shim costs is what is between the two. */
const wrapped = (): Contestants => {
  const [plugin] = plugins["Go on pkg/skel"] ?? []
  if (plugin === undefined) return {}
  return Object.fromEntries(
    Object.entries(taps).map(([form, [executable]]) => {
      const places = Stub.places(Path.join(folder, "wrapped", form))
      Fs.mkdirSync(places.plugins, { recursive: true })
      Fs.copyFileSync(executable, places.executable)
      Fs.copyFileSync(plugin, Path.join(places.plugins, "go-tap"))
      const fields = { logFile: Path.join(folder, "log.text"), logFormat: "json", onLogFailure: "ignore" }
      Fs.writeFileSync(places.config, JSON.stringify(fields))
      Fs.writeFileSync(Path.join(places.folder, "go-tap"), Stub.text(places), { mode: 0o755 })
      return [form, [Path.join(places.folder, "go-tap")]]
    })
  )
}

const prevResult = { cniVersion: "1.0.0", interfaces: [{ name: "eth0" }], ips: [{ address: "10.88.0.17/16" }] }
const document = (fields: object = {}, size = 0) =>
  JSON.stringify({
    cniVersion: "1.0.0",
    name: "bench",
    ...fields,
    prevResult: { ...prevResult, pad: "x".repeat(size) }
  })

const around = { ...wrapped(), ...available({ "Go on pkg/skel": plugins["Go on pkg/skel"] }) }

interface Case {
  readonly name: string
  readonly command: string
  readonly stdin: string
  readonly rounds: number
  readonly who: Contestants
}

const text = { logFile: Path.join(folder, "log.text") }
const hooks = (count: number) => ({ ...text, hookADD: Array.from({ length: count }, () => "echo hook") })
const add = { name: "ADD, text log", command: "ADD", stdin: document(text) }
const version = { name: "VERSION", command: "VERSION", stdin: `{"cniVersion":"1.0.0"}` }
const cases: ReadonlyArray<Case> = [
  { ...add, rounds: 40, who: { ...plugins, ...runtimes, "sh -c :": ["/bin/sh", "-c", ":"] } },
  { name: "ADD, JSON log", command: "ADD", stdin: document({ ...text, logFormat: "json" }), rounds: 20, who: taps },
  { name: "DEL, text log", command: "DEL", stdin: document(text), rounds: 20, who: plugins },
  { ...version, rounds: 20, who: plugins },
  { name: "ADD, around Go", command: "ADD", stdin: document(), rounds: 40, who: around },
  { name: "ADD, one hook", command: "ADD", stdin: document(hooks(1)), rounds: 20, who: plugins },
  { name: "ADD, five hooks", command: "ADD", stdin: document(hooks(5)), rounds: 20, who: plugins },
  ...[1, 64, 1024, 16_384].map((kib) => ({
    name: `ADD, stdin of ${kib < 1024 ? `${kib} KiB` : `${kib / 1024} MiB`}`,
    command: "ADD",
    stdin: document(text, kib * 1024 - 300),
    rounds: kib > 1024 ? 5 : 20,
    who: taps
  }))
]

/** Milliseconds of one run. */
const time = ([program, ...args]: Contestant, command: string, stdin: string): number => {
  const fd = Fs.openSync(stdin, "r")
  const started = performance.now()
  const { error } = ChildProcess.spawnSync(program, args, {
    env: { ...env, CNI_COMMAND: command },
    stdio: [fd, "pipe", "inherit"],
    maxBuffer: 2 ** 26
  })
  const elapsed = performance.now() - started
  Fs.closeSync(fd)
  if (error !== undefined) throw error
  return elapsed
}

/** Peak memory of one run in MiB, by GNU time (package `time`); undefined where that is not installed. */
const peak = (contestant: Contestant, command: string, stdin: string): number | undefined => {
  const fd = Fs.openSync(stdin, "r")
  const { error, stderr } = ChildProcess.spawnSync("/usr/bin/time", ["-f", "%M", ...contestant], {
    env: { ...env, CNI_COMMAND: command },
    stdio: [fd, "ignore", "pipe"],
    encoding: "utf8"
  })
  Fs.closeSync(fd)
  return error === undefined ? Number(stderr.trim().split("\n").at(-1)) / 1024 : undefined
}

const quantile = (sorted: ReadonlyArray<number>, q: number) => sorted[Math.floor((sorted.length - 1) * q)] ?? Number.NaN

interface Row {
  readonly case: string
  readonly contestant: string
  readonly median: number
  readonly p10: number
  readonly p90: number
  readonly peakMiB: number | undefined
}

const measure = ({ command, name, rounds, stdin, who }: Case): ReadonlyArray<Row> => {
  const file = Path.join(folder, "stdin")
  Fs.writeFileSync(file, stdin)
  const entries = Object.entries(who).map(([contestant, argv]) => ({ contestant, argv, times: [] as Array<number> }))
  for (let round = -2; round < rounds; round++) {
    for (const { argv, times } of entries) {
      const elapsed = time(argv, command, file)
      if (round >= 0) times.push(elapsed)
    }
  }
  Fs.rmSync(text.logFile, { force: true })
  return entries.map(({ argv, contestant, times }) => {
    times.sort((left, right) => left - right)
    const spread = { median: quantile(times, 0.5), p10: quantile(times, 0.1), p90: quantile(times, 0.9) }
    return { case: name, contestant, ...spread, peakMiB: peak(argv, command, file) }
  })
}

/**
 * A copy, as new as any other. How an executable came into the page cache decides how it is mapped, and with that over
 * 2 ms of its 12, and 6 MiB: the same bytes gave a ratio of 0.84.
 */
const copyOf = ([program]: Contestant, name: string): Contestant => {
  const copy = Path.join(folder, name)
  Fs.copyFileSync(program, copy)
  return [copy]
}

/** The medians of this build and of the one in another `dist`: nothing else runs in between. */
const compare = (dist: string) => {
  const others = formsIn(Path.resolve(dist))
  return [add, version].flatMap((operation) =>
    (["standalone", "script"] as const).map((form) => {
      const who = { this: copyOf(taps[form], "this"), that: copyOf(others[form], "that") }
      const [mine = Number.NaN, theirs = Number.NaN] = measure({ ...operation, rounds: 100, who })
        .map(({ median }) => median)
      return { case: operation.name, form, this: mine, that: theirs, ratio: mine / theirs }
    })
  )
}

/** Milliseconds until `count` processes that a shell starts at once have ended. */
const together = (argv: Contestant, count: number): number => {
  const file = Path.join(folder, "stdin")
  Fs.writeFileSync(file, document({ ...text, logFormat: "json" }))
  const started = performance.now()
  const script = `i=0; while [ $i -lt ${count} ]; do ${argv.join(" ")} <${file} >/dev/null & i=$((i+1)); done; wait`
  ChildProcess.execFileSync("/bin/sh", ["-c", script], { env: { ...env, CNI_COMMAND: "ADD" } })
  return performance.now() - started
}

const comparisons = options.against === undefined ? [] : compare(options.against)
const rows = cases.flatMap(measure)
interface Crowd {
  readonly contestant: string
  readonly count: number
  readonly ms: number
  /** Whether the log has every record, unmixed; undefined where nothing is logged. */
  readonly whole?: boolean
}
const crowds: Array<Crowd> = []
for (const [contestant, argv] of Object.entries({ ...taps, ...runtimes })) {
  for (const count of [1, 50, 200]) {
    Fs.rmSync(text.logFile, { force: true })
    const ms = together(argv, count)
    if (contestant in runtimes) {
      crowds.push({ contestant, count, ms })
      continue
    }
    const lines = Fs.readFileSync(text.logFile, "utf8").trimEnd().split("\n")
    const whole = lines.length === count * 2 && lines.every((line) => JSON.parse(line).invocation !== undefined)
    crowds.push({ contestant, count, ms, whole })
  }
}

const row = (name: string, contestant: string) => rows.find((row) => row.case === name && row.contestant === contestant)
const median = (name: string, contestant: string) => row(name, contestant)?.median ?? Number.NaN
const crowd = (contestant: string, count: number) =>
  crowds.find((it) => it.contestant === contestant && it.count === count)

const shell = median(add.name, "sh -c :")
const ratio = (left: string, right: string) => median(add.name, left) / median(add.name, right)
const cores = Os.availableParallelism()
const peakOf = (name: string, contestant = "standalone") => row(name, contestant)?.peakMiB ?? Number.NaN
const budgets: ReadonlyArray<readonly [what: string, value: number, budget: number, unit: string]> = [
  ["standalone / bash and jq, ADD", ratio("standalone", "bash and jq"), 0.14, "×"],
  ["standalone / empty standalone, ADD", ratio("standalone", "empty standalone"), 2, "×"],
  ["script / node -e 0, ADD", ratio("script", "node -e 0"), 1.5, "×"],
  [
    "standalone: around a plugin, over it alone / a tap",
    (median("ADD, around Go", "standalone") - median("ADD, around Go", "Go on pkg/skel")) /
    median("ADD, JSON log", "standalone"),
    1.2,
    "×"
  ],
  ["size of the script", Fs.statSync(taps.script[0]).size / 1000, 150, "KB"],
  ...Object.keys(taps).flatMap((tap) =>
    [
      [
        `${tap}: one hook more, over sh -c alone`,
        (median("ADD, five hooks", tap) - median("ADD, one hook", tap)) / 4 - shell,
        3,
        "ms"
      ],
      [
        `${tap}: stdin of 1 MiB, over 1 KiB`,
        median("ADD, stdin of 1 MiB", tap) - median("ADD, stdin of 1 KiB", tap),
        10,
        "ms"
      ],
      [
        `${tap}: 200 at once / 200 single runs on all cores`,
        (crowd(tap, 200)?.ms ?? Number.NaN) / (200 * median("ADD, JSON log", tap) / cores),
        1.2,
        "×"
      ]
    ] as const
  ),
  ["standalone: peak memory / empty standalone", peakOf(add.name) / peakOf(add.name, "empty standalone"), 1.6, "×"],
  ["standalone: peak memory per MiB of stdin", (peakOf("ADD, stdin of 16 MiB") - peakOf(add.name)) / 16, 5, "×"]
]

if (options.json) {
  process.stdout.write(
    `${
      JSON.stringify({
        comparisons,
        rows,
        crowds,
        budgets: budgets.map(([what, value, budget, unit]) => ({ what, value, budget, unit, met: value <= budget }))
      })
    }\n`
  )
} else {
  const number = (value: number | undefined, digits = 1) =>
    (value === undefined ? "" : value.toFixed(digits)).padStart(8)
  console.log(`Node.js ${process.version}, ${cores} cores, medians of whole processes in ms\n`)
  console.log(
    `${"case".padEnd(24)}${"contestant".padEnd(20)}${"median".padStart(8)}${"p10".padStart(8)}${"p90".padStart(8)}${
      "peak MiB".padStart(10)
    }`
  )
  for (const { case: name, contestant, median, p10, p90, peakMiB } of rows) {
    console.log(
      `${name.padEnd(24)}${contestant.padEnd(20)}${number(median)}${number(p10)}${number(p90)}  ${number(peakMiB)}`
    )
  }
  console.log("\nprocesses at once, one JSON log (the last two log nothing: what the runtimes cost)")
  for (const { contestant, count, ms, whole } of crowds) {
    console.log(
      `  ${contestant.padEnd(18)}${String(count).padStart(5)}${number(ms, 0)} ms  ${
        whole === undefined ? "" : whole ? "every record whole" : "RECORDS LOST OR MIXED"
      }`
    )
  }
  if (options.against !== undefined) {
    console.log(`\nthis build against the one in ${options.against}`)
    console.log(
      `${"case".padEnd(24)}${"form".padEnd(20)}${"this".padStart(8)}${"that".padStart(8)}${"this/that".padStart(12)}`
    )
    for (const { case: name, form, ratio, that, this: mine } of comparisons) {
      console.log(`${name.padEnd(24)}${form.padEnd(20)}${number(mine)}${number(that)}    ${number(ratio, 2)}`)
    }
  }
  console.log("\nbudgets")
  for (const [what, value, budget, unit] of budgets) {
    const verdict = Number.isNaN(value) ? "not measured" : value <= budget ? "met" : "MISSED"
    console.log(`  ${what.padEnd(52)}${number(value, 2)} ${unit.padEnd(4)} ≤ ${String(budget).padEnd(5)} ${verdict}`)
  }
}
