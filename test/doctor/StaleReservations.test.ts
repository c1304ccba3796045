/** Whether the container that has an address is still there. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Attachment } from "../../src/doctor/facts/Attachment.ts"
import type { ContainerProcess } from "../../src/doctor/facts/ContainerProcesses.ts"
import type * as LiveNamespaces from "../../src/doctor/facts/LiveNamespaces.ts"
import * as StaleReservations from "../../src/doctor/facts/StaleReservations.ts"
import * as Fake from "./fake.ts"
import * as Host from "./host.ts"

const reservation = {
  file: "/var/lib/cni/networks/n/10.99.0.2",
  address: "10.99.0.2",
  containerId: "web",
  ifname: "eth0"
}

interface Case {
  readonly ifname?: string
  readonly address?: string
  readonly processes?: ReadonlyArray<ContainerProcess>
  readonly attachments?: ReadonlyArray<Partial<Attachment>>
  readonly living?: Partial<LiveNamespaces.Living>
}

const gone = { sight: { _tag: "Missing" } } as const

/** What is said of a reservation, and whether namespaces were looked at for it. */
const judged = Effect.fnUntraced(function*({ attachments = [], living = {}, processes = [], ...fields }: Case) {
  let looks = 0
  const namespaces = Effect.sync(() => {
    looks++
    return { networks: [], unread: [], blind: undefined, ...living } satisfies LiveNamespaces.Living
  })
  const known = attachments.map((each) => Host.attachment(each))
  const found = yield* StaleReservations.all("n", [{ ...reservation, ...fields }], processes, known, namespaces)
  return [found.map(({ isGone, reason }) => `${isGone ? "gone" : "there"}: ${reason}`).join(), looks]
}, Effect.provide(Fake.host({}).layer))

const network = (...addresses: ReadonlyArray<string>): LiveNamespaces.Inhabited => ({
  links: [Host.link("lo", {}, "127.0.0.1/8"), Host.link("eth0", {}, ...addresses)],
  routes: [],
  neighbours: [],
  answers: [],
  name: "net:[1]",
  paths: []
})

const nothing = "gone: no result in the cache, no process of it, and no namespace has the address"

describe("a reservation, told by what is known of its attachment,", () => {
  const cases: { readonly [what: string]: readonly [said: string, given: Case] } = {
    "is there while its namespace is": ["there: /run/netns/web is there", { attachments: [{}] }],
    "is there while its namespace is, also where a process is working for it": [
      "there: /run/netns/web is there",
      { attachments: [{}], processes: [Host.process()] }
    ],
    "is there while something else is at the path of its namespace": [
      "there: /run/netns/web is there",
      { attachments: [{ sight: { _tag: "Foreign", reason: "x" } }] }
    ],
    "is there while any namespace of an old one is, which says no link": [
      "there: /run/netns/web is there",
      { ifname: "", attachments: [{ ifname: "net1" }] }
    ],
    "is there while the second of its attachments is": [
      "there: /run/netns/two is there",
      { attachments: [gone, { netns: "/run/netns/two" }] }
    ]
  }
  for (const [what, [said, given]] of Object.entries(cases)) {
    it.effect(what, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* judged(given), [said, 0])
      }))
  }
})

describe("a reservation, told by what is in all namespaces,", () => {
  const cases: { readonly [what: string]: readonly [said: string, given: Case] } = {
    "is gone where nothing is left": [nothing, {}],
    "is gone where a process is at work for another": [nothing, { processes: [Host.process({ containerId: "api" })] }],
    "is there while a process is working for it": [
      "there: process 4711 (bridge) is working for it",
      { processes: [Host.process()] }
    ],
    "is gone where another container is there": [nothing, { attachments: [{ containerId: "api" }] }],
    "is gone where it is there in another network": [nothing, { attachments: [{ network: "m" }] }],
    "is gone with its namespace": ["gone: /run/netns/web does not exist", { attachments: [gone] }],
    "is gone where another of its links is there alone": [
      "gone: no namespace has the address",
      { attachments: [{ ifname: "net1" }] }
    ],
    "is gone where no namespace is known, and none has its address": [
      "gone: no namespace has the address",
      { attachments: [{ netns: "", sight: { _tag: "Unseen", reason: "x" } }] }
    ],
    "is gone where namespaces have other addresses": [nothing, { living: { networks: [network("10.99.0.3/24")] } }],
    "is there while a namespace has its address": [
      "there: a namespace has the address",
      { attachments: [gone], living: { networks: [network("10.98.0.1/24"), network("10.99.0.2/16")] } }
    ],
    "is there while a namespace has its address in another form": [
      "there: a namespace has the address",
      { address: "fd00:0::2", living: { networks: [network("fd00::2/64")] } }
    ],
    "is gone where its address is none": [nothing, { address: "web", living: { networks: [network()] } }],
    "is there while its namespace cannot be looked into": [
      "there: its namespace cannot be inspected: no room",
      {
        living: { unread: [{ containerId: "api", reason: "x" }, { containerId: "web", reason: "no room" }], blind: "y" }
      }
    ],
    "is gone where only the namespace of another cannot be looked into": [
      nothing,
      { living: { unread: [{ containerId: "api", reason: "x" }] } }
    ],
    "is there while not all namespaces can be seen": [
      "there: not all namespaces can be seen: /run/netns: permission denied",
      { attachments: [gone], living: { blind: "/run/netns: permission denied" } }
    ]
  }
  for (const [what, [said, given]] of Object.entries(cases)) {
    it.effect(what, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* judged(given), [said, 1])
      }))
  }

  it.effect("stays what it is besides", () =>
    Effect.gen(function*() {
      const found = yield* StaleReservations.all(
        "n",
        [reservation, { ...reservation, address: "10.99.0.3", containerId: "api" }],
        [Host.process()],
        [],
        Effect.succeed({ networks: [], unread: [], blind: undefined })
      )
      assert.deepStrictEqual(found, [
        { ...reservation, isGone: false, reason: "process 4711 (bridge) is working for it", process: Host.process() },
        {
          ...reservation,
          address: "10.99.0.3",
          containerId: "api",
          isGone: true,
          reason: "no result in the cache, no process of it, and no namespace has the address"
        }
      ])
    }).pipe(Effect.provide(Fake.host({}).layer)))
})
