/** What `ip monitor all label` of iproute2 6.1 prints, as it was captured. */
import { assert, it } from "@effect/vitest"
import type { Kind } from "../../src/network/StateKind.ts"
import * as IpMonitor from "../../src/watch/IpMonitor.ts"

const lines: { readonly [line: string]: ReadonlyArray<Kind> } = {
  "[LINK]3: d0@d1: <BROADCAST,MULTICAST,M-DOWN> mtu 1500 qdisc noop state DOWN group default ": [
    "links",
    "addresses",
    "bridge"
  ],
  "    link/ether b6:c1:94:9d:31:d7 brd ff:ff:ff:ff:ff:ff": [],
  "[2026-11-30T22:23:33.791286] [ADDR]3: d0    inet 10.9.0.1/24 scope global d0": ["addresses"],
  "[ADDR]Deleted 3: d0    inet 10.9.0.1/24 scope global d0": ["addresses"],
  "       valid_lft forever preferred_lft forever": [],
  "[ROUTE]Deleted 10.10.0.0/16 dev d0 scope link linkdown ": ["routes"],
  "[RULE]32765:\tfrom 10.9.0.0/24 lookup 7": ["rules"],
  "[NETCONF]inet d0 rp_filter strict ": ["sysctls"],
  "[NEIGH]10.9.0.9 dev d0 lladdr 02:00:00:00:00:09 PERMANENT ": ["neighbours", "bridge"],
  "[NEIGH]Deleted dev d0 lladdr 02:00:00:00:00:08 NOARP ": ["neighbours", "bridge"],
  "[NEIGH]10.9.0.7 dev d0 lladdr 02:00:00:00:00:07 STALE ": [],
  "[NEIGH]10.9.0.7 dev d0  FAILED ": [],
  "[NSID]nsid 0 (iproute2 netns name: web)": []
}

it.each(Object.entries(lines))("says what may have changed after %j", (line, kinds) => {
  assert.deepStrictEqual(IpMonitor.kindsOf(line), kinds)
})

it("knows when events were lost", () => {
  assert.isTrue(IpMonitor.isLoss("netlink receive error No buffer space available (105)"))
  assert.isFalse(IpMonitor.isLoss("Cannot open netlink socket: Operation not permitted"))
})
