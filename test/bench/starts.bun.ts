/**
 * Starts processes in turn, and prints the times of each one: by the clock, and of processors. Bun runs this, because
 * it tells the processor time of a child process to the microsecond, and Node.js does not tell it at all.
 */
import * as Fs from "node:fs"

/** A process to start. */
export interface Start {
  readonly argv: readonly [program: string, ...args: ReadonlyArray<string>]
  readonly env: { readonly [name: string]: string }
  /** A file. Default: nothing. */
  readonly stdin?: string
}

export interface Spec {
  readonly rounds: number
  /** How many rounds to run before, which do not count. */
  readonly warmups: number
  readonly starts: { readonly [name: string]: Start }
}

/** Milliseconds of each run. */
export interface Samples {
  readonly cpu: Array<number>
  readonly clock: Array<number>
}

interface Ended {
  readonly exitCode: number
  readonly stderr: { toString(): string }
  /** In microseconds, with those of the children that it waited for. */
  readonly resourceUsage: { readonly cpuTime: { readonly total: bigint } }
}

declare const Bun: {
  readonly file: (path: string) => unknown
  readonly spawnSync: (options: {
    readonly cmd: ReadonlyArray<string>
    readonly env: Start["env"]
    readonly stdin: unknown
    readonly stdout: "ignore"
    readonly stderr: "pipe"
  }) => Ended
}

const measured = ({ argv, env, stdin = "/dev/null" }: Start) => {
  const started = performance.now()
  const { exitCode, resourceUsage, stderr } = Bun.spawnSync({
    cmd: argv,
    env,
    stdin: Bun.file(stdin),
    stdout: "ignore",
    stderr: "pipe"
  })
  const clock = performance.now() - started
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} exited with status ${exitCode}\n${stderr}`)
  return { clock, cpu: Number(resourceUsage.cpuTime.total) / 1000 }
}

const { rounds, starts, warmups }: Spec = JSON.parse(Fs.readFileSync(process.argv[2] ?? "", "utf8"))
const samples: { [name: string]: Samples } = {}
for (let round = -warmups; round < rounds; round++) {
  for (const [name, start] of Object.entries(starts)) {
    const { clock, cpu } = measured(start)
    if (round < 0) continue
    const own = samples[name] ??= { cpu: [], clock: [] }
    own.cpu.push(cpu)
    own.clock.push(clock)
  }
}
process.stdout.write(JSON.stringify(samples))
