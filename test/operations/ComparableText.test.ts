/** Texts of two attachments, as what can be compared. */
import { assert, describe, it } from "@effect/vitest"
import type { AttachmentIdentity } from "../../src/operations/AttachmentIdentity.ts"
import * as ComparableText from "../../src/operations/ComparableText.ts"

const none: AttachmentIdentity = {
  containerId: undefined,
  netns: undefined,
  chains: new Set(),
  addresses: new Set(),
  gateways: new Set(),
  hostLinks: new Set(),
  sharedLinks: new Set(),
  macs: new Set()
}

const own: AttachmentIdentity = {
  ...none,
  containerId: "5c01f03d8d6d",
  netns: "/run/netns/a",
  addresses: new Set(["10.88.0.2"]),
  hostLinks: new Set(["cali1", "cni0", "br0"]),
  sharedLinks: new Set(["br0"])
}

describe("a text of an attachment", () => {
  const alike = ComparableText.writer(own, { ...none, hostLinks: new Set(["cni0"]) })

  it("has what is its own by nature written as what it is", () => {
    assert.strictEqual(alike("5c01f03d8d6d in /run/netns/a"), "<container> in <netns>")
    assert.strictEqual(alike("10.88.0.2/16 and 10.88.0.2"), "<address>/16 and <address>")
    assert.strictEqual(alike("link cali1 up"), "link <link> up")
  })

  it("keeps links that others share, or of which the other one has one of the same name", () => {
    assert.strictEqual(alike("cni0 and br0"), "cni0 and br0")
  })

  it("has names that plugins choose at random, and what comes of these, written as what they are", () => {
    const hash = "0123456789abcdef01234567"
    assert.strictEqual(alike("veth0a0b0c and vethabcdef0123"), "<link> and <link>")
    assert.strictEqual(alike(`CNI-${hash} CNI-DN-${hash.slice(0, 20)}`), "CNI-<hash> CNI-DN-<hash>")
    assert.strictEqual(alike("mac 0A:1b:00:00:00:02"), "mac <mac>")
    assert.strictEqual(alike("via FE80::81b:ff:fe00:2 x"), "via <link-local> x")
  })

  it("keeps all that looks like it", () => {
    const text = "veth0a0b0 myveth0a0b0c CNI-0123456789abcdef012 0a:1b:00:00:00 fe81::1 10.88.0.22 5c01f03d8d6d7"
    assert.strictEqual(alike(text), text)
  })

  it("stays as it is where nothing is known of the attachment", () => {
    const writer = ComparableText.writer(none, own)
    assert.strictEqual(writer("5c01f03d8d6d /run/netns/a 10.88.0.2"), "5c01f03d8d6d /run/netns/a 10.88.0.2")
  })
})
