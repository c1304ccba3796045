/** The way of the host to the world, for what containers send. */
import { assert, describe, it } from "@effect/vitest"
import * as WayOut from "../../src/doctor/checks/WayOut.ts"
import * as Host from "./host.ts"

const found = (check: typeof WayOut.wayOut, change: Host.Change) => {
  const outcome = check.find(Host.facts(change), new Set())
  return Array.isArray(outcome) ? outcome.map(({ message }) => message) : outcome
}

const { links, routes } = Host.outside
const [uplink, bridge, veth] = links

describe("the way out", () => {
  it("is right on a healthy host", () => {
    assert.deepStrictEqual(found(WayOut.wayOut, {}), [])
  })

  it("leads back to containers if the default route is on their bridge", () => {
    const outside = { routes: [Host.route("0.0.0.0/0", "cni0"), ...routes] }
    assert.match(String(found(WayOut.wayOut, { outside })), /goes to cni0, a link of containers/)
  })

  it("is right on the bridge of containers if a link of the host is a port of it", () => {
    const outside = {
      links: [{ ...uplink!, master: "cni0" }, bridge!, veth!],
      routes: [Host.route("0.0.0.0/0", "cni0", { gateway: "10.99.0.254" })]
    }
    assert.deepStrictEqual(found(WayOut.wayOut, { outside }), [])
  })

  describe("with several next hops", () => {
    const other = Host.link("other", { index: 4 }, "198.51.100.2/24")
    const hops = [
      Host.route("0.0.0.0/0", "uplink", { gateway: "192.0.2.1" }),
      Host.route("0.0.0.0/0", "other", { gateway: "198.51.100.1" })
    ]
    const outside = (isUp: boolean, isOtherUp: boolean) => ({
      links: [
        { ...uplink!, hasCarrier: isUp },
        { ...other, hasCarrier: isOtherUp },
        bridge!,
        veth!
      ],
      routes: [...hops, Host.route("10.99.0.0/24", "cni0")]
    })

    it("is right while one of them works", () => {
      assert.deepStrictEqual(found(WayOut.wayOut, { outside: outside(false, true) }), [])
      assert.match(String(found(WayOut.wayOut, { outside: outside(false, false) })), /has no carrier/)
      const findings = WayOut.wayOut.find(Host.facts({ outside: outside(false, false) }), new Set())
      assert.deepStrictEqual(Array.isArray(findings) && findings.map(({ level }) => level), ["error"])
    })

    it("lets in, despite strict rp_filter, what comes by any of them", () => {
      const published = (hostIP: string) => ({
        host: { sysctls: new Map([["net.ipv4.ip_forward", "1"], ["net.ipv4.conf.all.rp_filter", "1"]]) },
        attachment: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp", hostIP }] }
      })
      const filtered = (routes: ReadonlyArray<ReturnType<typeof Host.route>>) =>
        found(WayOut.arrivalsFiltered, {
          ...published("198.51.100.2"),
          outside: { ...outside(true, true), routes }
        })
      assert.deepStrictEqual(filtered(hops), [])
      assert.match(String(filtered(hops.slice(0, 1))), /rp_filter of other is 1/)
    })
  })
})
