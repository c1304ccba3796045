/** docs/doctor.md has a line for each check of doctor, below the heading of its phase. */
import { assert, describe, it } from "@effect/vitest"
import type { Phase } from "../../src/doctor/Check.ts"
import * as Checks from "../../src/doctor/Checks.ts"
import { items, section } from "./markdown.ts"

const headings: { readonly [phase in Phase]: string } = {
  configuration: "## Configuration",
  plugins: "## Plugins",
  addresses: "## Addresses",
  attachment: "## Attachments",
  host: "## Host",
  trial: "## Trial",
  history: "## History"
}

const all = [...Checks.configuration, ...Checks.plugins, ...Checks.live, ...Checks.trial, ...Checks.history]

describe("docs/doctor.md", () => {
  it.each(Object.entries(headings))("lists the checks of the phase %s in their order", (phase, heading) => {
    const listed = items(section("docs/doctor.md", heading)).map(({ names: [name] }) => name)
    assert.deepStrictEqual(listed, all.filter((check) => check.phase === phase).map(({ id }) => id))
  })
})
