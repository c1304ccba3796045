/** The completion scripts: that for bash as bash runs it, and what the others ask for names of this host. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { command } from "../../src/cli/Companion.ts"
import * as Presenter from "../../src/cli/Presenter.ts"
import * as Progress from "../../src/cli/Progress.ts"
import * as Command from "../support/command.ts"
import { path, temporary } from "../support/plugin.ts"

const host = Layer.mergeAll(Progress.layer.pipe(Layer.provideMerge(Command.host)), Presenter.layer)

/** What bash offers after a line, in a folder. Bash breaks words at `=` too. */
const offered = (script: string, cwd: string, ...words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const { stderr, stdout } = ChildProcess.spawnSync(
    "bash",
    [
      "--norc",
      "-c",
      `eval "$SCRIPT"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$LINE COMP_POINT=\${#LINE}
_cni_passthrough cni-passthrough "\${@: -1}" "\${@: -2:1}"
printf '%s\\n' "\${COMPREPLY[@]}"`,
      "bash",
      ...words
    ],
    {
      cwd,
      env: { PATH: path, SCRIPT: script, LINE: words.join(" ").replace(/ = /g, "=").replace(/ =$/, "=") },
      encoding: "utf8"
    }
  )
  assert.strictEqual(stderr, "")
  return stdout.split("\n").filter((line) => line !== "").sort()
}

describe("the completion script for bash", () => {
  let script: string
  beforeAll(async () => {
    script = (await Effect.runPromise(Effect.provide(Command.printed(command, "--completions", "bash"), host))).stdout
  })

  it("goes on below a folder", () => {
    using folder = temporary()
    Fs.mkdirSync(Path.join(folder.path, "logs/pods"), { recursive: true })
    Fs.writeFileSync(Path.join(folder.path, "logs/pods/a.jsonl"), "")
    const after = (typed: string) => offered(script, folder.path, "cni-passthrough", "wrap", "--log", typed)
    assert.deepStrictEqual(after("lo"), ["logs/"])
    assert.deepStrictEqual(after("logs/p"), ["logs/pods/"])
    assert.deepStrictEqual(after("logs/pods/"), ["logs/pods/a.jsonl"])
  })

  it("asks this command for networks, containers and plugins, and offers files where a path is typed", () => {
    using folder = temporary()
    const own = Path.join(folder.path, "own")
    const answers = "networks) echo podman pods;; containers) echo c0ffee;; plugins) echo bridge host-local;;"
    Fs.writeFileSync(own, `#!/bin/sh\n[ $1 = candidates ] && case $2 in ${answers} esac\n`, { mode: 0o755 })
    Fs.writeFileSync(Path.join(folder.path, "web.conflist"), "{}")
    const after = (...words: ReadonlyArray<string>) => offered(script, folder.path, own, ...words)
    assert.deepStrictEqual(after("doctor", ""), ["podman", "pods"])
    assert.deepStrictEqual(after("run", "add", "podm"), ["podman"])
    assert.deepStrictEqual(after("leaks", "./we"), ["./web.conflist"])
    assert.deepStrictEqual(after("leaks", "we"), ["web.conflist"])
    assert.deepStrictEqual(after("show", "--container", ""), ["c0ffee"])
    assert.deepStrictEqual(after("wrap", "host"), ["host-local"])
  })

  it("completes the value of a flag after `=` as after a space", () => {
    const expected = ["file", "journald", "syslog"]
    assert.deepStrictEqual(offered(script, "/", "cni-passthrough", "wrap", "--sink", ""), expected)
    assert.deepStrictEqual(offered(script, "/", "cni-passthrough", "wrap", "--sink", "=", ""), expected)
    assert.deepStrictEqual(offered(script, "/", "cni-passthrough", "wrap", "--sink", "=", "jo"), ["journald"])
  })
})

describe("the completion script for another shell", () => {
  const scriptFor = (shell: string) =>
    Effect.map(Effect.provide(Command.printed(command, "--completions", shell), host), ({ stdout }) => stdout)

  /** What stands beside the description of a flag or an argument. */
  const beside = (script: string, description: string): ReadonlySet<string> =>
    new Set(script.split("\n").filter((line) => line.includes(description)).map((line) => line.trim()))

  const network = "A network configuration file, or the name of a network in --conf-dir"

  it.effect("asks zsh for names, and for files where a path is typed", () =>
    Effect.gen(function*() {
      const script = yield* scriptFor("zsh")
      assert.include(
        [...beside(script, `${network}:`)],
        `':${network}:{[[ $PREFIX == */* ]] && _files || compadd -- $(cni-passthrough candidates networks 2>/dev/null)}'`
      )
      const asked = (name: string) => new RegExp(`--${name}\\[.*\\]:value:(.*)'`).exec(script)?.[1]
      for (
        const [name, kind] of [["container", "containers"], ["container-id", "containers"], ["pod", "pods"], [
          "plugins",
          "plugins"
        ]] as const
      ) {
        assert.strictEqual(asked(name), `{compadd -- $(cni-passthrough candidates ${kind} 2>/dev/null)}`)
      }
    }))

  it.effect("asks fish for names, with files where a path may stand too", () =>
    Effect.gen(function*() {
      const script = yield* scriptFor("fish")
      assert.isTrue([...beside(script, network)].every((line) =>
        line.includes(" -r -F -a '(cni-passthrough candidates networks 2>/dev/null)' -d ")
      ))
      const asked = (name: string) =>
        new RegExp(` -l ${name} .* (-[fF] -a '[^']*')`).exec(script)?.[1]
      assert.strictEqual(asked("container"), "-f -a '(cni-passthrough candidates containers 2>/dev/null)'")
      assert.strictEqual(asked("pod"), "-f -a '(cni-passthrough candidates pods 2>/dev/null)'")
    }))

  it.effect("asks PowerShell for nothing", () =>
    Effect.gen(function*() {
      const script = yield* scriptFor("powershell")
      assert.include(script, "Register-ArgumentCompleter")
      assert.notInclude(script, "cni-passthrough candidates ")
    }))

  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    it.effect(`has nothing in it that only stands for names: ${shell}`, () =>
      Effect.gen(function*() {
        assert.notMatch(yield* scriptFor(shell), /@(?:networks|containers|pods|plugins)@/)
      }))
  }
})
