/** Counters of the kernel. */
import { assert, it } from "@effect/vitest"
import * as Counters from "../../src/trace/Counters.ts"

const netstat =
  "TcpExt: SyncookiesSent IPReversePathFilter\nTcpExt: 0 7\nIpExt: InNoRoutes InTruncatedPkts\nIpExt: 2 0\n"
const snmp = "Ip: Forwarding InAddrErrors\nIp: 1 3\n"
const snmp6 = "Ip6InNoRoutes                   \t4\n"

it("are read from the tables of /proc/net", () => {
  const counters = Counters.parse(`${netstat}${snmp}${snmp6}`)
  assert.deepStrictEqual(
    ["TcpExtIPReversePathFilter", "IpExtInNoRoutes", "IpInAddrErrors", "Ip6InNoRoutes"].map((name) =>
      counters.get(name)
    ),
    [7, 2, 3, 4]
  )
})

it("that rose are reported with the difference", () => {
  const [before, after] = [{ a: 1, b: 2 }, { a: 1, b: 5, c: 1 }].map((values) => new Map(Object.entries(values)))
  assert.deepStrictEqual([...Counters.risen(before ?? new Map(), after ?? new Map())], [["b", 3], ["c", 1]])
})
