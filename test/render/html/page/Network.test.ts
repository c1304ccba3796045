/** The network of an attachment, as its records describe it. */
import { assert, describe, it } from "@effect/vitest"
import type * as Networks from "../../../../src/render/html/page/Network.ts"
import type { Operation } from "../../../../src/render/html/PageData.ts"

/** The records of one plugin, and what they say of the network. */
interface Case {
  readonly name: string
  /** The documents of the plugins, in the order of the chain. */
  readonly plugins: ReadonlyArray<{ readonly config?: unknown; readonly result?: unknown }>
  readonly operation?: Partial<Operation>
  /** Undefined if there is nothing to draw; members that a case is not about are left out. */
  readonly expected: Partial<Networks.Network> | undefined
}

const sandbox = "/run/netns/demo"
const eth0 = { name: "eth0", mac: "0e:00:00:00:00:02", sandbox }
const veth = { name: "veth12", mac: "0e:00:00:00:00:01" }
const cni0 = { name: "cni0", mac: "0e:00:00:00:00:00", sandbox: "" }
const drawn = ({ mac, name }: typeof veth, ...addresses: ReadonlyArray<string>) => ({ name, mac, addresses })

const numbers = Array.from({ length: 9 }, (_, index) => index)

const cases: ReadonlyArray<Case> = [
  {
    name: "has the links on both sides, the bridge, gateways, routes and ports",
    plugins: [
      {
        config: {
          bridge: "cni0",
          runtimeConfig: {
            portMappings: [
              { hostPort: 8080, containerPort: 80, protocol: "udp" },
              { hostIP: "10.0.0.1", hostPort: 443, containerPort: 8443 }
            ]
          }
        },
        result: {
          interfaces: [veth, cni0, eth0],
          ips: [
            { address: "10.88.0.2/16", gateway: "10.88.0.1", interface: 2 },
            { address: "fd00::2/64", gateway: "fd00::1", interface: 2 },
            { address: "10.88.0.3/16", gateway: "10.88.0.1", interface: 2 }
          ],
          routes: [{ dst: "0.0.0.0/0" }, { dst: "10.1.0.0/16", gw: "10.88.0.9" }]
        }
      }
    ],
    operation: { netns: "/run/netns/demo", ifname: "eth0" },
    expected: {
      namespace: "demo",
      inside: [drawn(eth0, "10.88.0.2/16", "fd00::2/64", "10.88.0.3/16")],
      outside: [drawn(veth)],
      bridges: [drawn(cni0)],
      gateways: ["10.88.0.1", "fd00::1"],
      routes: ["0.0.0.0/0", "10.1.0.0/16 via 10.88.0.9"],
      ports: ["host 8080/udp → 10.88.0.2:80", "host 10.0.0.1:443/tcp → 10.88.0.2:8443"]
    }
  },
  {
    name: "takes the first of several links of the host for the bridge if no configuration names one",
    plugins: [{ config: { bridge: "" }, result: { interfaces: [cni0, veth, eth0] } }],
    expected: { inside: [drawn(eth0)], outside: [drawn(veth)], bridges: [drawn(cni0)] }
  },
  {
    name: "takes no link for the bridge if the host has one",
    plugins: [{ config: {}, result: { interfaces: [eth0, veth] } }],
    expected: { outside: [drawn(veth)], bridges: [] }
  },
  {
    name: "has no bridge if the configured one is not in the result",
    plugins: [{ config: { bridge: "cni9" }, result: { interfaces: [cni0, veth, eth0] } }],
    expected: { outside: [drawn(cni0), drawn(veth)], bridges: [] }
  },
  {
    name: "has the addresses and routes of a result of version 0.2.0, on the interface of the request",
    plugins: [{
      result: {
        ip4: { ip: "10.88.0.2/16", gateway: "10.88.0.1", routes: [{ dst: "0.0.0.0/0" }] },
        ip6: { ip: "fd00::2/64", routes: [{ dst: "::/0", gw: "fd00::1" }] }
      }
    }],
    operation: { ifname: "net1" },
    expected: {
      namespace: "namespace",
      inside: [{ name: "net1", mac: "", addresses: ["10.88.0.2/16", "fd00::2/64"] }],
      outside: [],
      bridges: [],
      gateways: ["10.88.0.1"],
      routes: ["0.0.0.0/0", "::/0 via fd00::1"],
      ports: []
    }
  },
  {
    name: "gives addresses without an interface to the first one of the container",
    plugins: [{
      result: {
        interfaces: [eth0, { ...eth0, name: "eth1" }],
        ips: [
          { address: "10.0.0.1/8" },
          { address: "10.0.0.2/8", interface: 0 },
          { address: "10.0.0.3/8", interface: 1 },
          { address: "10.0.0.4/8", interface: "1" }
        ]
      }
    }],
    expected: {
      inside: [drawn(eth0, "10.0.0.2/8", "10.0.0.1/8", "10.0.0.4/8"), drawn({ ...eth0, name: "eth1" }, "10.0.0.3/8")]
    }
  },
  {
    name: "is that of the last result",
    plugins: [
      { result: { ips: [{ address: "10.0.0.1/8" }] } },
      { config: { prevResult: { ips: [{ address: "10.0.0.2/8" }] } }, result: { ips: [{ address: "10.0.0.3/8" }] } }
    ],
    expected: { inside: [{ name: "", mac: "", addresses: ["10.0.0.3/8"] }] }
  },
  {
    name: "is that of the first prevResult if there is no result, as in a DEL",
    plugins: [
      { config: { prevResult: null } },
      { config: { prevResult: { interfaces: [eth0] } } },
      { config: { prevResult: { interfaces: [veth] } } }
    ],
    expected: { inside: [drawn(eth0)], outside: [] }
  },
  {
    name: "has the ports of all plugins, each once, and none without a list",
    plugins: [
      { config: { runtimeConfig: { portMappings: [{ hostPort: 1, containerPort: 2 }] } } },
      { config: { runtimeConfig: { portMappings: [{ hostPort: 1, containerPort: 2 }, { hostPort: 3 }] } } },
      { config: { runtimeConfig: { portMappings: { hostPort: 4 } } } },
      { config: { runtimeConfig: [] }, result: { interfaces: [eth0] } }
    ],
    expected: { ports: ["host 1/tcp → :2", "host 3/tcp → :"] }
  },
  {
    name: "is nothing without addresses and interfaces",
    plugins: [{ config: { bridge: "cni0" }, result: { ips: [], interfaces: [], routes: [{ dst: "0.0.0.0/0" }] } }],
    expected: undefined
  },
  { name: "is nothing without documents", plugins: [{}], expected: undefined },
  {
    name: "is nothing if its result has no lists and no objects",
    plugins: [{ result: { ips: "10.0.0.1/8", interfaces: { 0: eth0 }, ip4: "10.0.0.1/8", ip6: null } }],
    expected: undefined
  },
  {
    name: "has empty texts for what is no text in its result",
    plugins: [{ result: { interfaces: [null, { name: 5, mac: true, sandbox: "/" }], ips: [{ address: ["x"] }] } }],
    expected: { inside: [{ name: "5", mac: "", addresses: [""] }], outside: [{ name: "", mac: "", addresses: [] }] }
  },
  {
    name: "cannot turn the direction of text",
    plugins: [{ result: { interfaces: [veth, { ...eth0, name: "a\u202eb" }] } }],
    operation: { netns: "/run/netns/c\u202ed" },
    expected: { namespace: "c\\u202ed", inside: [drawn({ ...eth0, name: "a\\u202eb" })] }
  },
  {
    name: "cannot turn it with the interface of its request either",
    plugins: [{ result: { ips: [{}] } }],
    operation: { ifname: "a\u202eb" },
    expected: { inside: [{ name: "a\\u202eb", mac: "", addresses: [""] }] }
  },
  {
    name: "has no more than eight of each",
    plugins: [{
      config: {
        bridge: "b",
        runtimeConfig: { portMappings: numbers.map((number) => ({ hostPort: number, containerPort: number })) }
      },
      result: {
        interfaces: [
          ...numbers.map((number) => ({ ...eth0, name: `in${number}` })),
          ...numbers.map((number) => ({ ...veth, name: `out${number}` })),
          ...numbers.map(() => ({ ...cni0, name: "b" }))
        ],
        ips: [
          ...numbers.map((number) => ({ address: `10.0.0.${number}/8`, gateway: `10.1.0.${number}`, interface: 0 })),
          ...numbers.map((number) => ({ address: `10.0.1.${number}/8`, interface: 1 })),
          { address: "10.0.2.1/8" }
        ],
        routes: numbers.map((number) => ({ dst: `10.2.0.${number}` }))
      }
    }],
    expected: {
      inside: numbers.slice(0, 8).map((number) =>
        drawn(
          { ...eth0, name: `in${number}` },
          ...(number < 2 ? numbers.slice(0, 8).map((last) => `10.0.${number}.${last}/8`) : [])
        )
      ),
      outside: numbers.slice(0, 8).map((number) => drawn({ ...veth, name: `out${number}` })),
      bridges: numbers.slice(0, 8).map(() => drawn({ ...cni0, name: "b" })),
      gateways: numbers.slice(0, 8).map((number) => `10.1.0.${number}`),
      routes: numbers.slice(0, 8).map((number) => `10.2.0.${number}`),
      ports: numbers.slice(0, 8).map((number) => `host ${number}/tcp → 10.0.0.0:${number}`)
    }
  }
]

/** The records of all cases, and the steps of each with their places among these. */
const records: Array<string> = []
const operations = cases.map(({ operation, plugins }): Operation => ({
  time: "2026-11-24T10:00:00.000Z",
  hasFailed: false,
  ...operation,
  steps: plugins.map(({ config, result }) => {
    const first = records.push(JSON.stringify({ event: "request", config })) - 1
    records.push(JSON.stringify({ event: "hook", config: { bridge: "veth12" }, result: { ips: [{}] } }))
    const last = records.push(JSON.stringify({ event: "result", result })) - 1
    return { title: "bridge", kind: "plugin", state: "done", records: [first, first + 1, last] }
  })
}))

// The page has both in its document when its scripts run.
const embedded: { readonly [id: string]: string } = {
  report: JSON.stringify({ operations }),
  records: JSON.stringify(records)
}
Object.assign(globalThis, { document: { getElementById: (name: string) => ({ textContent: embedded[name] }) } })
const Network = await import("../../../../src/render/html/page/Network.ts")

/** An interface without what is not drawn. */
const plain = ({ addresses, mac, name }: Networks.Interface): Networks.Interface => ({ name, mac, addresses })

const networkOf = (operation: Operation): Networks.Network | undefined => {
  const network = Network.of(operation)
  return network && {
    ...network,
    inside: network.inside.map(plain),
    outside: network.outside.map(plain),
    bridges: network.bridges.map(plain)
  }
}

describe("the network of an operation", () => {
  for (const [index, { expected, name }] of cases.entries()) {
    it(name, () => {
      const network = networkOf(operations[index]!)
      if (network === undefined || expected === undefined) assert.strictEqual(network, expected)
      else assert.deepStrictEqual({ ...network, ...expected }, network)
    })
  }

  it("is nothing if its steps have no records", () => {
    const { steps: [step], ...operation } = operations[0]!
    assert.isUndefined(Network.of({ ...operation, steps: [{ ...step!, records: undefined }] }))
  })
})
