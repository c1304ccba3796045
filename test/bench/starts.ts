/** What one start of the plugin or of the command costs. */
import * as Executables from "./executables.ts"
import { inTurn, isMissing, peak, type Result, type Row, row } from "./measure.ts"
import * as Measure from "./measure.ts"
import * as Requests from "./requests.ts"

const zones = ["UTC", "Europe/Berlin", "America/St_Johns"]

/** ADD with a text log, against the engines alone and against other ways to do the job. */
export const start = (): ReadonlyArray<Row> => {
  const stdin = Requests.text()
  const results = inTurn(40, {
    ...Object.fromEntries(
      zones.map((TZ) => [TZ, Requests.call(Executables.standalone().plugin, stdin, { TZ })])
    ),
    installed: Requests.call(Executables.installedScript(), stdin),
    copied: Requests.call(Executables.script().plugin, stdin),
    go: Requests.call(Executables.goPlugin(), stdin),
    shell: Requests.call(Executables.shellPlugin(), stdin),
    empty: Requests.plain(Executables.emptyStandalone().argv),
    node: Requests.plain(Executables.emptyNode().argv)
  })
  const ratio = (what: string, runs: readonly [string, string], budget?: number) =>
    Measure.ratio(results, what, runs, budget)
  return [
    ...zones.map((zone) => ratio(`standalone, ${zone} / bash and jq`, [zone, "shell"], 0.14)),
    ...zones.map((zone) => ratio(`standalone, ${zone} / empty standalone`, [zone, "empty"], 2.5)),
    ratio("script as installed / node -e 0", ["installed", "node"], 1.6),
    ratio("script as copied / node -e 0", ["copied", "node"], 1.8),
    ratio("script as installed / bash and jq", ["installed", "shell"]),
    ratio("Go / empty standalone", ["go", "empty"])
  ]
}

/** What we add to a plugin that we stand around. */
export const shim = (): ReadonlyArray<Row> => {
  const stdin = Requests.text()
  const results = inTurn(40, {
    plugin: Requests.call(Executables.goPlugin(), stdin),
    tap: Requests.call(Executables.standalone().plugin, Requests.json()),
    "script tap": Requests.call(Executables.script().plugin, Requests.json()),
    standalone: Requests.call(Executables.wrapped().standalone, stdin),
    script: Requests.call(Executables.wrapped().script, stdin),
    tee: Requests.call(Executables.teed(), stdin)
  })
  const added = (what: string, around: string, tap: string, budget?: number) =>
    row(results, {
      what,
      unit: "×",
      budget,
      runs: [around, "plugin", tap],
      of: (around = 0, plugin = 0, tap = 0) => (around - plugin) / tap
    })
  return [
    added("standalone, on top of a Go plugin / a tap", "standalone", "tap", 1.15),
    added("script, on top of a Go plugin / a tap", "script", "script tap"),
    Measure.ratio(results, "standalone around a Go plugin / alone", ["standalone", "plugin"]),
    Measure.ratio(results, "tee in sh around a Go plugin / alone", ["tee", "plugin"])
  ]
}

/** What each further hook costs. */
export const hook = (): ReadonlyArray<Row> => {
  const hooks = (count: number) =>
    Requests.stdin(`hooks-${count}`, {
      logFile: Requests.log,
      hookADD: Array.from({ length: count }, () => "echo hook")
    })
  const forms = Executables.plugins()
  const results = inTurn(20, {
    shell: Requests.plain(["/bin/sh", "-c", "echo hook"]),
    "standalone 1": Requests.call(forms.standalone, hooks(1)),
    "standalone 5": Requests.call(forms.standalone, hooks(5)),
    "script 1": Requests.call(forms.script, hooks(1)),
    "script 5": Requests.call(forms.script, hooks(5))
  })
  return (["standalone", "script"] as const).map((form) =>
    row(results, {
      what: `${form}, one hook more, over sh -c alone`,
      unit: "ms",
      budget: 3,
      runs: [`${form} 1`, `${form} 5`, "shell"],
      of: (one = 0, five = 0, shell = 0) => (five - one) / 4 - shell
    })
  )
}

/** The routes of a configuration of 1 MiB. */
const manyRoutes = 25_000

/** What a large configuration costs. */
export const stdin = (): ReadonlyArray<Row> => {
  const [small, large] = [
    Requests.stdin("1-KiB", { logFile: Requests.log }, 20),
    Requests.stdin("1-MiB", { logFile: Requests.log }, manyRoutes)
  ]
  const forms = { standalone: Executables.standalone().plugin, script: Executables.installedScript() }
  const results = inTurn(20, {
    "standalone small": Requests.call(forms.standalone, small),
    "standalone large": Requests.call(forms.standalone, large),
    "script small": Requests.call(forms.script, small),
    "script large": Requests.call(forms.script, large),
    "go small": Requests.call(Executables.goPlugin(), small),
    "go large": Requests.call(Executables.goPlugin(), large)
  })
  const more = (form: string, budget?: number) =>
    row(results, {
      what: `${form}, 25,000 routes in 1 MiB, over 1 KiB`,
      unit: "ms",
      budget,
      runs: [`${form} small`, `${form} large`],
      of: (small = 0, large = 0) => large - small
    })
  return [more("standalone", 15), more("script", 25), more("go")]
}

/** The most memory of one start. */
export const memory = (): ReadonlyArray<Row> => {
  const stdin = Requests.stdin("16-MiB", { logFile: Requests.log }, 16 * manyRoutes)
  const { standalone } = Executables.plugins()
  const peaks = {
    empty: peak(Requests.plain(Executables.emptyStandalone().argv)),
    small: peak(Requests.call(standalone, Requests.text())),
    large: peak(Requests.call(standalone, stdin))
  }
  const line = (
    what: string,
    budget: number,
    [left, right]: readonly [Result<{ readonly mib: number }>, Result<{ readonly mib: number }>],
    of: (left: number, right: number) => number
  ): Row => {
    const about = { what, unit: "×", budget } as const
    if (isMissing(left)) return { ...about, reason: left.reason }
    if (isMissing(right)) return { ...about, reason: right.reason }
    return { ...about, value: of(left.mib, right.mib) }
  }
  return [
    line("standalone, peak / empty standalone", 1.5, [peaks.small, peaks.empty], (small, empty) => small / empty),
    line(
      "standalone, peak for each byte of stdin",
      5,
      [peaks.large, peaks.small],
      (large, small) => (large - small) / 16
    )
  ]
}

/** The help of the command. */
export const help = (): ReadonlyArray<Row> => {
  const results = inTurn(20, {
    standalone: Requests.plain([...Executables.standalone().command.argv, "--help"]),
    script: Requests.plain([...Executables.script().command.argv, "--help"]),
    empty: Requests.plain(Executables.emptyStandalone().argv),
    node: Requests.plain(Executables.emptyNode().argv)
  })
  return [
    Measure.ratio(results, "standalone, --help / empty standalone", ["standalone", "empty"], 3),
    Measure.ratio(results, "script, --help / node -e 0", ["script", "node"], 3)
  ]
}
