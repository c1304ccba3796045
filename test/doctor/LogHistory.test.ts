/** What the checks of logs say of operations. */
import { assert, describe, it } from "@effect/vitest"
import type { Check } from "../../src/doctor/Check.ts"
import * as LogHistory from "../../src/doctor/checks/LogHistory.ts"
import type * as History from "../../src/doctor/facts/History.ts"
import * as Facts from "./facts.ts"
import * as Host from "./host.ts"

const past = (verb: string, fields: Partial<History.LoggedOperation> = {}): History.LoggedOperation => ({
  network: "n",
  verb,
  time: "T1",
  containerId: "web",
  ifname: "eth0",
  netns: "/run/netns/web",
  pod: undefined,
  end: "well",
  failure: "",
  stderr: [],
  given: new Set(),
  ...fields
})

interface Given {
  readonly operations: ReadonlyArray<History.LoggedOperation>
  /** The namespaces that are gone. */
  readonly gone?: ReadonlyArray<string>
  readonly change?: Host.Change
}

const facts = ({ change = {}, gone = [], operations }: Given) =>
  Host.facts({ ...change, facts: { all: [], ...change.facts, history: { operations, gone: new Set(gone), logs: [] } } })

const specify = (
  check: Check,
  cases: ReadonlyArray<readonly [what: string, given: Given, said: string | ReadonlyArray<ReadonlyArray<string>>]>
) => {
  for (const [what, given, said] of cases) it(what, () => assert.deepStrictEqual(Facts.said(check, facts(given)), said))
}

describe("the checks of logs", () => {
  for (const check of [LogHistory.lastFailure, LogHistory.addWithoutDel, LogHistory.delWithLess]) {
    it(`have nothing to say without a log: ${check.id}`, () => {
      assert.strictEqual(Facts.said(check, Host.facts()), "no log was named")
      assert.strictEqual(
        Facts.said(check, facts({ operations: [] })),
        "the logs have no operation of these attachments"
      )
    })
  }
})

describe("the last failure", () => {
  const badly = (verb: string, fields: Partial<History.LoggedOperation> = {}) =>
    past(verb, { end: "badly", failure: "bridge: code 11: no", ...fields })
  const found = (
    verb: string,
    level = "error"
  ) => [`${level} bridge the last ${verb} of eth0 of web, at T1, failed: bridge: code 11: no`]
  specify(LogHistory.lastFailure, [
    ["is none", { operations: [past("ADD")] }, []],
    ["is none of one that goes on", { operations: [past("ADD", { end: "open" })] }, []],
    ...["ADD", "DEL", "STATUS", "GC"].map((verb) =>
      [`is one of ${verb}`, { operations: [badly(verb)] }, [found(verb)]] as const
    ),
    ["is one of CHECK, which nothing ends for", { operations: [badly("CHECK")] }, [found("CHECK", "warning")]],
    ["is one of each verb", { operations: [badly("DEL"), badly("ADD")] }, [found("ADD"), found("DEL")]],
    ["has gone well since", { operations: [badly("ADD"), past("ADD")] }, []],
    ["is one since it went well", { operations: [past("ADD"), badly("ADD")] }, [found("ADD")]],
    ["is proved by what the plugin wrote", { operations: [badly("ADD", { stderr: ["a", "b"] })] }, [
      [...found("ADD"), "stderr: a", "stderr: b"]
    ]],
    ["is that of an IPAM plugin", { operations: [badly("ADD", { failure: "host-local in bridge: no" })] }, [
      ["error host-local the last ADD of eth0 of web, at T1, failed: host-local in bridge: no"]
    ]],
    ["is that of a plugin that the network does not have", { operations: [badly("ADD", { failure: "acme: no" })] }, [
      ["error - the last ADD of eth0 of web, at T1, failed: acme: no"]
    ]]
  ])
})

describe("an ADD without a DEL", () => {
  const gone = ["/run/netns/web"]
  const one = (time = "T1") => [
    `warning - eth0 of web had an ADD at ${time}, and no DEL after it, and its namespace is gone`,
    `${time} ADD ended well: eth0 of web, /run/netns/web`
  ]
  const api = past("ADD", { containerId: "api", end: "badly" })
  specify(LogHistory.addWithoutDel, [
    ["is one", { operations: [past("ADD")], gone }, [one()]],
    ["is none where its namespace is there", { operations: [past("ADD")] }, []],
    ["is none where a DEL came after it", { operations: [past("ADD"), past("DEL")], gone }, []],
    ["is none of a DEL alone", { operations: [past("DEL")], gone }, []],
    ["is one where a DEL came before it", { operations: [past("DEL"), past("ADD")], gone }, [one()]],
    ["is the last", { operations: [past("ADD", { time: "T0" }), past("ADD", { time: "T2" })], gone }, [one("T2")]],
    ["is one where the DEL is another's", {
      operations: [past("ADD"), past("DEL", { ifname: "net1" }), past("DEL", { containerId: "api" })],
      gone
    }, [one()]],
    ["is none of what the cache has", {
      operations: [past("ADD")],
      gone,
      change: { facts: { all: [Host.attachment()] } }
    }, []],
    ["is one where the cache has another", {
      operations: [past("ADD")],
      gone,
      change: { facts: { all: [Host.attachment({ ifname: "net1" })] } }
    }, [one()]],
    ["is one of several", { operations: [past("ADD"), api], gone }, [[
      "warning - 2 attachments had an ADD, and no DEL after it, and their namespaces are gone",
      "T1 ADD ended well: eth0 of web, /run/netns/web",
      "T1 ADD ended badly: eth0 of api, /run/netns/web"
    ]]]
  ])
})

describe("a DEL with less than its ADD", () => {
  const given = (...names: ReadonlyArray<string>) => ({ given: new Set(names) })
  const add = past("ADD", given("the plugin bridge", "prevResult", "CNI_NETNS"))
  const less = (words: string, ...more: ReadonlyArray<string>) => [[
    `warning - eth0 of web was detached with less than it was attached with, without ${words}`,
    "T1 ADD ended well",
    "T1 DEL ended well",
    ...more
  ]]
  specify(LogHistory.delWithLess, [
    ["is none", { operations: [add, past("DEL", given("the plugin bridge", "prevResult", "CNI_NETNS"))] }, []],
    ["is one", { operations: [add, past("DEL", given("CNI_NETNS"))] }, [less("the plugin bridge, prevResult")].flat()],
    ["is one without its namespace, where plugins masquerade", {
      operations: [add, past("DEL", given("the plugin bridge", "prevResult"))]
    }, less("CNI_NETNS")],
    ["is none without its namespace, where none masquerade", {
      operations: [add, past("DEL", given("the plugin bridge", "prevResult"))],
      change: { bridge: { ipMasq: false } }
    }, []],
    ["is none of two that have it all", {
      operations: [add, past("DEL", given("the plugin bridge", "CNI_NETNS")), past("DEL", given("prevResult"))]
    }, []],
    [
      "is one of two",
      { operations: [add, past("DEL", given("the plugin bridge", "CNI_NETNS")), past("DEL")] },
      less("prevResult", "T1 DEL ended well")
    ],
    ["is none without an ADD", { operations: [past("DEL")] }, []],
    ["is none without a DEL", { operations: [add] }, []],
    ["is none of an ADD that failed", { operations: [{ ...add, end: "badly" }, past("DEL")] }, []],
    ["is none of a DEL that failed", { operations: [add, past("DEL", { end: "badly" })] }, []],
    ["is none of another's ADD", { operations: [{ ...add, containerId: "api" }, past("DEL")] }, []],
    ["is none of a DEL before the ADD", { operations: [past("DEL"), add] }, []],
    ["is that of the last DEL alone", {
      operations: [{ ...add, containerId: "api" }, past("DEL", { containerId: "api" }), past("ADD"), past("DEL")]
    }, []]
  ])
})
