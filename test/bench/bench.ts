/**
 * `npm run bench [-- --json]`: whole processes side by side, interleaved, after a warm-up. What counts are the ratios
 * within one run; times differ from machine to machine.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

const repository = Path.resolve(import.meta.dirname, "../..")
const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "passthrough-bench-"))
const env = {
  PATH: `${Path.dirname(process.execPath)}:${process.env["PATH"]}`,
  CNI_CONTAINERID: "bench-1",
  CNI_NETNS: "/run/netns/no-such-namespace",
  CNI_IFNAME: "eth0",
  CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAME=web-0",
  CNI_PATH: "/opt/cni/bin"
}

type Contestant = readonly [program: string, ...args: ReadonlyArray<string>]

const bun = Path.join(
  repository,
  `node_modules/@oven/bun-linux-${process.arch === "arm64" ? "aarch64" : "x64"}/bin/bun`
)

/** An executable of the same make with nothing in it: what the runtime costs. */
const emptyStandalone = (): Contestant => {
  Fs.writeFileSync(Path.join(folder, "empty.cjs"), "")
  const outfile = Path.join(folder, "empty")
  const flags = ["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig", `--outfile=${outfile}`]
  ChildProcess.execFileSync(bun, ["build", "--compile", "--bytecode", ...flags, Path.join(folder, "empty.cjs")])
  return [outfile]
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

const available = (contestants: { readonly [name: string]: Contestant | undefined }) =>
  Object.fromEntries(
    Object.entries(contestants).filter((entry): entry is [string, Contestant] => entry[1] !== undefined)
  )

const has = (program: string) => ChildProcess.spawnSync(program, ["--version"]).error === undefined

const script: Contestant = [Path.join(repository, "dist/passthrough")]
const standalone: Contestant = [Path.join(repository, "dist/standalone/passthrough")]
const contestants = available({
  standalone,
  "empty standalone": emptyStandalone(),
  script,
  "node -e 0": [process.execPath, "-e", "0"],
  "bash and jq": has("jq") ? [Path.join(import.meta.dirname, "shell-tap.sh")] : undefined,
  "Go on pkg/skel": goTap(),
  "sh -c :": ["/bin/sh", "-c", ":"]
})
const plugins = Object.keys(contestants).filter((name) => !["empty standalone", "node -e 0", "sh -c :"].includes(name))

const prevResult = { cniVersion: "1.0.0", interfaces: [{ name: "eth0" }], ips: [{ address: "10.88.0.17/16" }] }
const document = (fields: object = {}, size = 0) =>
  JSON.stringify({
    cniVersion: "1.0.0",
    name: "bench",
    ...fields,
    prevResult: { ...prevResult, pad: "x".repeat(size) }
  })

interface Case {
  readonly name: string
  readonly command: string
  readonly stdin: string
  readonly rounds: number
  readonly who: ReadonlyArray<string>
}

const text = { logFile: Path.join(folder, "log.text") }
const hooks = (count: number) => ({ ...text, hookADD: Array.from({ length: count }, () => "echo hook") })
const taps = ["standalone", "script"]
const cases: ReadonlyArray<Case> = [
  { name: "ADD, text log", command: "ADD", stdin: document(text), rounds: 40, who: Object.keys(contestants) },
  { name: "ADD, JSON log", command: "ADD", stdin: document({ ...text, logFormat: "json" }), rounds: 20, who: taps },
  { name: "DEL, text log", command: "DEL", stdin: document(text), rounds: 20, who: plugins },
  { name: "VERSION", command: "VERSION", stdin: `{"cniVersion":"1.0.0"}`, rounds: 20, who: plugins },
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
  ChildProcess.spawnSync(program, args, {
    env: { ...env, CNI_COMMAND: command },
    stdio: [fd, "pipe", "inherit"],
    maxBuffer: 2 ** 26
  })
  const elapsed = performance.now() - started
  Fs.closeSync(fd)
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
  const entries = who.map((contestant) => ({
    contestant,
    argv: contestants[contestant] ?? script,
    times: [] as Array<number>
  }))
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

/** Milliseconds until `count` processes that a shell starts at once have ended. */
const together = (argv: Contestant, count: number): number => {
  const file = Path.join(folder, "stdin")
  Fs.writeFileSync(file, document({ ...text, logFormat: "json" }))
  const started = performance.now()
  const script = `i=0; while [ $i -lt ${count} ]; do ${argv.join(" ")} <${file} >/dev/null & i=$((i+1)); done; wait`
  ChildProcess.execFileSync("/bin/sh", ["-c", script], { env: { ...env, CNI_COMMAND: "ADD" } })
  return performance.now() - started
}

const rows = cases.flatMap(measure)
interface Crowd {
  readonly contestant: string
  readonly count: number
  readonly ms: number
  /** Whether the log has every record, unmixed; undefined where nothing is logged. */
  readonly whole?: boolean
}
const crowds: Array<Crowd> = []
for (const contestant of ["standalone", "script", "empty standalone", "node -e 0"]) {
  const argv = contestants[contestant] ?? script
  for (const count of [1, 50, 200]) {
    Fs.rmSync(text.logFile, { force: true })
    const ms = together(argv, count)
    if (!plugins.includes(contestant)) {
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

const add = "ADD, text log"
const shell = median(add, "sh -c :")
const cores = Os.availableParallelism()
const peakOf = (name: string) => row(name, "standalone")?.peakMiB ?? Number.NaN
const budgets: ReadonlyArray<readonly [what: string, value: number, budget: number, unit: string]> = [
  ["standalone / bash and jq, ADD", median(add, "standalone") / median(add, "bash and jq"), 0.14, "×"],
  ["standalone / empty standalone, ADD", median(add, "standalone") / median(add, "empty standalone"), 2, "×"],
  ["script / node -e 0, ADD", median(add, "script") / median(add, "node -e 0"), 1.4, "×"],
  ["size of the script", Fs.statSync(script[0]).size / 1000, 130, "KB"],
  ...taps.flatMap((tap) =>
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
  ["standalone: peak memory", peakOf(add), 36, "MiB"],
  ["standalone: peak memory per MiB of stdin", (peakOf("ADD, stdin of 16 MiB") - peakOf(add)) / 16, 5, "×"]
]

if (process.argv.includes("--json")) {
  process.stdout.write(
    `${
      JSON.stringify({
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
  console.log("\nbudgets")
  for (const [what, value, budget, unit] of budgets) {
    const verdict = Number.isNaN(value) ? "not measured" : value <= budget ? "met" : "MISSED"
    console.log(`  ${what.padEnd(52)}${number(value, 2)} ${unit.padEnd(4)} ≤ ${String(budget).padEnd(5)} ${verdict}`)
  }
}
Fs.rmSync(folder, { recursive: true })
