/** What docs/install.md says that the image needs is what `npm run image` asks for, before it builds anything. */
import { assert, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import { repository } from "../support/plugin.ts"
import { section } from "./markdown.ts"

it("npm run image names all that it needs and this host has not, at once", () => {
  const { status, stderr } = ChildProcess.spawnSync(process.execPath, [".ci/image/needs.mjs"], {
    cwd: repository,
    env: { PATH: "/nowhere" },
    encoding: "utf8"
  })
  assert.strictEqual(status, 2)
  const [, needed = "", packages = ""] =
    /^npm run image needs (.*), and found .*: apt-get install (.*)\n$/.exec(stderr) ?? []
  const [, said = ""] = /The build needs ([^.]*)\./.exec(section("docs/install.md", "## The image")) ?? []
  for (const program of said.replaceAll("`", "").split(/, | and /)) {
    assert.match(needed, new RegExp(`\\b${program.replaceAll("+", "\\+")}`))
    assert.include(packages, program)
  }
})
