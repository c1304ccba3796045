/** Whose a fact is. */
import { assert, describe, it } from "@effect/vitest"
import type { Fact } from "../../src/network/Fact.ts"
import type { AttachmentIdentity } from "../../src/operations/AttachmentIdentity.ts"
import * as Ownership from "../../src/operations/Ownership.ts"

const id = "ba87c1e4f5d5".padEnd(64, "0")
const otherId = "dead".padEnd(64, "0")
const hash = "c202bc1cc2d590156ca8bdde"
const otherHash = "0123456789abcdef01234567"
const mac = "02:00:00:00:00:02"

const marks: AttachmentIdentity = {
  containerId: id,
  netns: "/run/netns/demo",
  chains: new Set([hash]),
  addresses: new Set(["10.88.0.2", "fd99::2"]),
  gateways: new Set(["10.88.0.1"]),
  hostLinks: new Set(["cni0", "vetha", "mv0", "named", "veth-port"]),
  sharedLinks: new Set(["cni0", "vethshared", "veth-port"]),
  macs: new Set([mac])
}

const links = new Map([
  ["cni0", "bridge"],
  ["mv0", "macvlan"],
  ["ifb1", "ifb"],
  ["pair1", "veth"],
  ["vethbridge", "bridge"],
  ["eth9", "dummy"]
])

type Cases = { readonly [text: string]: Ownership.Whose }

/** Facts of one kind, on the host, and whose each is. */
const check = (kind: string, cases: Cases, more: Partial<AttachmentIdentity> = {}, known: Ownership.Links = links) => {
  const whose = Ownership.teller({ ...marks, ...more }, known)
  const found = Object.keys(cases).map((text) => [text, whose({ place: "host", kind, text })])
  assert.deepStrictEqual(Object.fromEntries(found), cases)
}

const comment = (id: string) => `ip nat -A X -m comment --comment "name: \\"podman\\" id: \\"${id}\\"" -j Y`

describe("a rule", () => {
  it("is of the container that its comment names, by its ID or the first 12 characters of it", () => {
    check("iptables", {
      [comment(id)]: "attachment",
      [comment(id.slice(0, 12))]: "attachment",
      [comment(id.slice(0, 11))]: "others",
      [comment(otherId)]: "others",
      [`${comment(otherId)} -s 10.88.0.2/32`]: "others",
      [`ip nat -A X -m comment --comment "net: podman, if: eth0, id: ${id}"`]: "attachment"
    })
    check("nftables", { [`rule inet x y goto z comment "id: ${id.slice(0, 40)}"`]: "attachment" })
    check("iptables", { [comment("web")]: "attachment", [comment("we")]: "others" }, { containerId: "web" })
    check("iptables", { [comment(id)]: "others" }, { containerId: undefined })
  })

  it("is of the network and the container of which its chains have the hash", () => {
    check("iptables", {
      [`ip nat -N CNI-${hash}`]: "attachment",
      [`ip nat -N CNI-DN-${hash.slice(0, 21)}`]: "attachment",
      [`ip nat -N CNI-${hash.slice(0, 20)}`]: "attachment",
      [`ip nat -N CNI-${hash.slice(0, 19)}`]: "shared",
      [`ip nat -N CNI-${hash}0`]: "shared",
      [`ip nat -N XCNI-${hash}`]: "shared",
      [`ip nat -A CNI-${otherHash} -j CNI-${hash}`]: "attachment",
      [`ip nat -A POSTROUTING -j CNI-${otherHash}`]: "others",
      [`ip nat -A POSTROUTING -s 10.88.0.2/32 -j CNI-${otherHash}`]: "others"
    })
    check("ipsets", { [`create CNI-${otherHash} hash:ip`]: "shared" })
  })

  it("is of the attachment whose address it has", () => {
    check("iptables", {
      "ip nat -A X -s 10.88.0.2/32 -j ACCEPT": "attachment",
      "ip nat -A KUBE-SVC -s 10.88.0.2/32 -j ACCEPT": "attachment",
      "ip nat -A X -s 10.88.0.22/32 -j ACCEPT": "others",
      "ip6 nat -A X -s fd99::2/128 -j ACCEPT": "attachment"
    })
    check("ipsets", { "add x 10.88.0.2": "attachment", "add x 10.88.0.3": "shared" })
  })

  it("is of others where it has one address that is not of the attachment", () => {
    const forms: ReadonlyArray<(address: string) => string> = [
      (address) => `-s ${address}/32 -j X`,
      (address) => `-d ${address} -j X`,
      (address) => `-d ${address}`,
      (address) => `-j DNAT --to-destination ${address}:80`,
      (address) => `-j DNAT --to-destination ${address}:80-90`
    ]
    for (const form of forms) {
      check("iptables", { [`ip nat -A X ${form("10.88.0.9")}`]: "others" })
      check("iptables", { [`ip nat -A X ${form("10.88.0.1")}`]: "shared" })
    }
    check("iptables", {
      "ip6 nat -A X -s fd99::9/128 -j X": "others",
      "ip6 nat -A X -j DNAT --to-destination [fd99::9]:80": "others",
      "ip nat -A X -s 10.88.0.0/16 -j X": "shared",
      "ip nat -A X -s 10.88.0.9/3 -j X": "shared",
      "ip nat -A X --from 10.88.0.9": "shared"
    })
    check("nftables", {
      "rule ip x y ip saddr 10.88.0.9 accept": "others",
      "rule ip x y ip daddr 10.88.0.9 accept": "others",
      "rule ip x y dnat to 10.88.0.9:80": "others",
      "rule inet x y dnat ip to 10.88.0.9:80": "others",
      "rule inet x y dnat ip6 to [fd99::9]:80": "others",
      "rule ip x y ip saddr 10.88.0.0/16 accept": "shared"
    })
  })

  it("is of nobody with an address that every host has", () => {
    const everywhere = ["127.0.0.1", "169.254.1.1", "224.0.0.1", "229.0.0.1", "239.1.1.1", "0.0.0.0", "255.255.255.255"]
    for (const address of everywhere) check("iptables", { [`ip nat -A X -d ${address}/32 -j Y`]: "shared" })
    for (const address of ["::", "::1", "fe80::1", "ff02::1"]) {
      check("iptables", { [`ip6 nat -A X -d ${address}/128 -j Y`]: "shared" })
    }
    for (const address of ["128.0.0.1", "169.253.1.1", "223.0.0.1", "240.0.0.1", "0.0.0.1", "25.5.0.1"]) {
      check("iptables", { [`ip nat -A X -d ${address}/32 -j Y`]: "others" })
    }
    for (const address of ["::2", "fe81::1"]) check("iptables", { [`ip6 nat -A X -d ${address}/128 -j Y`]: "others" })
  })

  it("is not judged by addresses while none of the attachment is known", () => {
    check("iptables", { "ip nat -A X -s 10.88.0.9/32 -j Y": "shared" }, { addresses: new Set() })
  })

  it("is of others in a chain of kube-proxy or Docker", () => {
    check("iptables", {
      "ip nat -A KUBE-SERVICES -j X": "others",
      "ip nat -N DOCKER": "others",
      "ip filter -A DOCKER-USER -j RETURN": "others",
      "ip nat -A MY-KUBE-X -j X": "shared",
      "ip nat -A KUBE -j X": "shared",
      "ip nat -A X -j KUBE-MARK-MASQ": "shared"
    })
    check("nftables", { "rule ip nat KUBE-SVC accept": "others", "set ip nat KUBE-SVC": "shared" })
    check("links", { "KUBE-SERVICES dummy up": "shared" })
  })
})

describe("a reservation", () => {
  it("is of its owner, or of the attachment that has the address where it has none", () => {
    check("ipam", {
      [`podman 10.88.0.9 ${id} eth0`]: "attachment",
      [`podman 10.88.0.2 ${otherId} eth0`]: "others",
      [`podman 10.88.0.9 ${id.slice(0, 12)}`]: "others",
      "podman 10.88.0.2": "attachment",
      "podman 10.88.0.9": "shared"
    })
  })
})

describe("a link, or what is about one", () => {
  it("is of the attachment whose result names it, unless others share it", () => {
    check("links", {
      "vetha veth up": "attachment",
      "mv0 macvlan up": "attachment",
      "cni0 bridge up": "shared",
      "named dummy up": "shared",
      "veth-port veth up": "shared"
    })
    check("routes", {
      "10.0.0.0/8 dev vetha": "attachment",
      "10.0.0.0/8 dev mv0": "attachment",
      "10.0.0.0/8 dev cni0": "shared",
      "10.0.0.0/8": "shared"
    })
    check("sysctls", { "net.ipv4.conf.vetha.rp_filter = 1": "attachment", "net.ipv4.ip_forward = 1": "shared" })
    check("links", { "mv0 ether up": "shared" }, {}, new Map([["mv0", "ether"]]))
  })

  it("is of others where nobody shares links of its kind, and the result does not name it", () => {
    check("links", {
      "vethother veth up": "others",
      "ifb1 ifb up": "others",
      "pair1 veth up": "others",
      "vethbridge bridge up": "shared",
      "vethshared veth up": "shared",
      "eth9 dummy up": "shared",
      "eth-veth dummy up": "shared"
    })
  })

  it("is of nobody while the result names no link of the host", () => {
    check("links", { "vethother veth up": "shared", "pair1 veth up": "shared" }, { hostLinks: new Set() })
  })

  it("is of the attachment whose hardware address a bridge forwards to", () => {
    check("bridge", { [`fdb ${mac} dev x master cni0 static`]: "attachment", "fdb 02:00:00:00:00:09 dev x": "shared" })
    check("neighbours", { [`10.0.0.1 dev x lladdr ${mac}`]: "shared" })
  })
})

describe("a fact of any kind", () => {
  it("is of the attachment whose container ID it has, if that is long enough", () => {
    check("ipsets", { [`add x ${id}`]: "attachment", [`add x ${otherId}`]: "others" })
    check("ipsets", { "add web 1": "shared" }, { containerId: "web" })
    check("ipsets", { "add container-12 1": "attachment" }, { containerId: "container-12" })
    check("ipsets", { "add container-1 1": "shared" }, { containerId: "container-1" })
  })

  it("is of others where it has the ID of another container", () => {
    check("ipsets", { [`add x ${otherId.slice(0, 63)}`]: "shared", [`add x ${otherId}0`]: "shared" })
  })

  it("is of the attachment in whose namespace it holds", () => {
    const fact: Fact = { place: "container", kind: "iptables", text: comment(otherId) }
    assert.strictEqual(Ownership.teller(marks, links)(fact), "attachment")
  })
})

describe("the links of a host", () => {
  it("are those of its facts, with their kinds", () => {
    assert.deepStrictEqual(
      [...Ownership.linksOf([
        { place: "host", kind: "links", text: "cni0 bridge up" },
        { place: "host", kind: "links", text: "odd" },
        { place: "container", kind: "links", text: "eth0 veth up" },
        { place: "host", kind: "addresses", text: "cni0 10.88.0.1/16" }
      ])],
      [["cni0", "bridge"], ["odd", ""]]
    )
  })
})
