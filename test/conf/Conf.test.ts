/** What people copy from `conf/` has to work as it stands. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Settings from "../../src/plugin/Settings.ts"
import { section } from "../docs/markdown.ts"
import { repository } from "../support/plugin.ts"

const folder = Path.join(repository, "conf")
const files = Fs.readdirSync(folder).filter((name) => !name.startsWith("kubernetes")) // have a test of their own

describe("conf/", () => {
  for (const file of files.filter((name) => name.endsWith(".conflist"))) {
    it(`${file} is JSON, and its taps are configured without a problem`, () => {
      const { name, plugins } = JSON.parse(Fs.readFileSync(Path.join(folder, file), "utf8"))
      assert.match(name, /^[a-z-]+$/)
      const taps = plugins.filter(({ type }: { readonly type: string }) => type === "passthrough")
      assert.isAbove(taps.length, 0)
      for (const tap of taps) {
        const { problems, settings } = Settings.read(tap)
        assert.deepStrictEqual(problems, [])
        assert.strictEqual(settings.sinks.length, 1)
      }
    })
  }

  it("has a logrotate configuration for the folder that wrap logs to", () => {
    const text = Fs.readFileSync(Path.join(folder, "passthrough.logrotate"), "utf8")
    assert.match(text, /^\/var\/log\/cni\/\*\.log \/var\/log\/cni\/\*\.jsonl \{$/m)
    assert.strictEqual(text.split("{").length, text.split("}").length)
  })

  it("has a service that keeps a node clean, with the command of README", () => {
    const text = Fs.readFileSync(Path.join(folder, "cni-passthrough-leaks.service"), "utf8")
    const sections = text.split(/^\[(\w+)\]$/m).slice(1)
    assert.deepStrictEqual(sections.filter((_, index) => index % 2 === 0), ["Unit", "Service", "Install"])
    for (const line of text.split("\n")) assert.match(line, /^(?:#.*|\[\w+\]|[A-Z]\w+=.+|)$/)
    const command = /^ExecStart=\/usr\/bin\/(.*)$/m.exec(text)?.[1]
    assert.isDefined(command)
    assert.include(section("README.md", "## Keep a node clean"), `\n${command}\n`)
  })

  it("has nothing that is not tested", () => {
    assert.deepStrictEqual(files.sort(), [
      "10-chained.conflist",
      "20-file.conflist",
      "20-journald.conflist",
      "20-stderr.conflist",
      "20-syslog.conflist",
      "87-podman-bridge.conflist",
      "cni-passthrough-leaks.service",
      "fluent-bit.yaml",
      "grafana-dashboard.json",
      "otel-collector.yaml",
      "passthrough.logrotate"
    ])
  })
})
