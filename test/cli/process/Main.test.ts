/** The command as a process: how it ends, what it prints where, and what it does where that cannot be printed. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { path, temporary } from "../../support/plugin.ts"
import * as Scripts from "../../support/scripts.ts"
import * as Sources from "../../support/sources.ts"
import { until } from "../../support/until.ts"

const home = temporary()
const command = `${home.path}/cni-passthrough`

beforeAll(() => Sources.executable(command, { path: "src/cli/main.ts" }))
afterAll(() => home[Symbol.dispose]())

/** What a shell gets of a line in which `it` is the command. */
const shell = (line: string) => {
  const { status, stderr, stdout } = ChildProcess.spawnSync("sh", ["-c", `it() { "${command}" "$@"; }\n${line}`], {
    cwd: home.path,
    env: { PATH: path },
    encoding: "utf8"
  })
  return { status, stderr, stdout }
}

describe("cni-passthrough as a process", () => {
  const outcomes: { readonly [line: string]: ReturnType<typeof shell> } = {
    "it --version": { status: 0, stdout: "cni-passthrough 1.0.0\n", stderr: "" },
    "it frobnicate": {
      status: 2,
      stdout: "",
      stderr: `error: "frobnicate" is not a subcommand of cni-passthrough: see cni-passthrough --help\n`
    },
    "it validate /none": {
      status: 2,
      stdout: "",
      stderr: "error: cannot read /none: there is no such file or folder\n"
    },
    "echo '{' > x.conflist; it validate --no-plugins x.conflist": {
      status: 1,
      stdout: `${home.path}/x.conflist:2:1: the end of the file where "," or "}" should be\n`,
      stderr: ""
    }
  }
  for (const [line, outcome] of Object.entries(outcomes)) {
    it(`tells its outcome once, and with its exit status: ${line}`, () => {
      assert.deepStrictEqual(shell(line), outcome)
    })
  }

  it("has the page of its reports in it", () => {
    const record = JSON.stringify({
      time: "2026-11-24T10:00:00.000Z",
      invocation: "1",
      event: "request",
      command: "ADD"
    })
    const { status, stdout } = shell(`echo '${record}' | it report -o -`)
    assert.strictEqual(status, 0)
    assert.include(stdout, `<script>${Sources.page.script}</script>`)
    assert.include(stdout, Sources.page.style)
  })

  it("writes its report as report.html where no other file is named", () => {
    const record = JSON.stringify({
      time: "2026-11-24T10:00:00.000Z",
      invocation: "1",
      event: "request",
      command: "ADD"
    })
    assert.deepStrictEqual(shell(`echo '${record}' | it report && head -c 15 report.html`), {
      status: 0,
      stdout: "wrote report.html: 1 operation, 1 failed\n<!doctype html>",
      stderr: ""
    })
  })

  it("goes on without a reader of stdout, and without a word, as after | head", () => {
    assert.deepStrictEqual(shell("{ sleep 0.3; it schema; echo status $? >&2; } | true"), {
      status: 0,
      stdout: "",
      stderr: "status 0\n"
    })
  })

  it("says that stdout cannot be written, with exit status 2", () => {
    assert.deepStrictEqual(shell("it schema > /dev/full"), {
      status: 2,
      stdout: "",
      stderr: "error: cannot write to stdout: ENOSPC: no space left on device, write\n"
    })
  })

  it("ends as it would, where stderr cannot be written", () => {
    assert.strictEqual(shell("it validate /none 2> /dev/full").status, 2)
    assert.strictEqual(shell("{ sleep 0.3; it validate /none; } 2>&1 >&3 3>&1 | true; it --version").status, 0)
  })

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    it(`cleans up where it is stopped by ${signal}, and says how to undo what it began`, async () => {
      using folder = temporary()
      const at = folder.path
      Scripts.script(`${at}/slow`, `[ $CNI_COMMAND = VERSION ] || { : > ${at}/called; exec sleep 600; }`)
      Fs.writeFileSync(`${at}/n.conflist`, `{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"slow"}]}`)
      const flags = ["--netns", "/ns", "--container-id", "c1", "--cni-path", at, "--cache-dir", at]
      using running = Sources.start(at, command, ["run", "add", `${at}/n.conflist`, ...flags])
      await until("the plugin is called", () => Fs.existsSync(`${at}/called`))
      running.kill(signal)
      const { status, stderr } = await running.ended()
      assert.strictEqual(status, 130)
      assert.strictEqual(
        stderr,
        `interrupted
  What plugins did so far may still be there. To undo it:
    cni-passthrough run del ${at}/n.conflist --netns /ns --container-id c1 --cni-path ${at} --cache-dir ${at}
`
      )
    })
  }
})
