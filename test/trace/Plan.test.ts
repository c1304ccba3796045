/** Which namespaces a trace passes. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type * as Attachment from "../../src/doctor/facts/Attachment.ts"
import * as Plan from "../../src/trace/Plan.ts"
import * as TracedNamespace from "../../src/trace/TracedNamespace.ts"

const attachment = (
  containerId: string,
  address: string,
  mappings: ReadonlyArray<Attachment.PortMapping> = []
): Attachment.AttachmentId => ({
  file: "",
  network: "n",
  containerId,
  ifname: "eth0",
  netns: `/run/netns/${containerId}`,
  pod: undefined,
  args: "",
  portMappings: mappings,
  capabilityArgs: {},
  config: undefined,
  result: Result.succeed({ cniVersion: "1.1.0", ips: [{ address: `${address}/24` }] })
})

const mapping = (hostIP: string): Attachment.PortMapping => ({
  hostPort: 8080,
  containerPort: 80,
  protocol: "tcp",
  hostIP
})

const to = { address: "192.0.2.2", port: 8080 }

const found = (...attachments: ReadonlyArray<Attachment.AttachmentId>) =>
  Plan.candidates({ attachments, protocol: "tcp" }, to, true).map(({ attachment: { containerId }, inside }) => [
    containerId,
    inside.address,
    inside.port
  ])

describe("the receiver of what is sent to the host", () => {
  it("is a container for which the port is published at this address", () => {
    assert.deepStrictEqual(
      found(
        attachment("elsewhere", "10.0.0.1", [mapping("192.0.2.3")]),
        attachment("six", "10.0.0.2", [mapping("::")]),
        attachment("without-four", "fd00::3", [mapping("")]),
        attachment("here", "10.0.0.4", [mapping("192.0.2.2")]),
        attachment("everywhere", "10.0.0.5", [mapping("0.0.0.0")])
      ),
      [["here", "10.0.0.4", 80], ["everywhere", "10.0.0.5", 80]]
    )
  })

  it("may be any container of the cache that has the address: those that are gone too", () => {
    assert.deepStrictEqual(found(attachment("gone", to.address), attachment("living", to.address)), [
      ["gone", to.address, 8080],
      ["living", to.address, 8080]
    ])
  })
})

describe("the name of a namespace", () => {
  const place = (id: string, name: string): TracedNamespace.Place => ({
    id,
    name,
    netns: `/run/netns/${id}`,
    containerId: undefined,
    network: { links: [], routes: [], neighbours: [], answers: [] }
  })

  it("has its path if another namespace has the same name", () => {
    assert.strictEqual(
      TracedNamespace.named(place("4:2", "host"), [place("4:1", "host")]).name,
      "host (/run/netns/4:2)"
    )
    assert.strictEqual(
      TracedNamespace.named(place("4:2", "web"), [place("4:1", "host"), place("4:2", "web")]).name,
      "web"
    )
  })
})
