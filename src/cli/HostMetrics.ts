/** What this host has, as metrics: addresses of host-local, what containers left behind, and wrapped plugins. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Collect from "../doctor/Collect.ts"
import type { Facts } from "../doctor/Facts.ts"
import * as Leaks from "../doctor/Leaks.ts"
import * as Ranges from "../doctor/Ranges.ts"
import * as Roles from "../doctor/Roles.ts"
import type { HostValue, Metrics } from "../export/Metrics.ts"
import * as Stub from "../wrap/Stub.ts"
import * as Survey from "../wrap/Survey.ts"

/** Where to look. */
export interface Places {
  /** The folders of plugins. */
  readonly folders: ReadonlyArray<string>
  readonly confDir: string
  readonly cacheDir: string
}

const addressesOf = ({ chain, network, store }: Facts): ReadonlyArray<HostValue> => {
  const ipam = Roles.ofType(chain, "host-local")
  if (network === undefined || ipam === undefined || store === undefined || store.problem !== undefined) return []
  const size = Ranges.of(ipam.config, ipam.at).reduce((sum, set) => sum + Ranges.size(set), 0n)
  const all = store.reservations.length
  const stale = store.reservations.filter(({ isGone }) => isGone).length
  const counts = { free: Math.max(0, Number(size) - all), used: all - stale, stale }
  return Object.entries(counts).map(([state, value]) => ({
    name: "cni_host_local_addresses",
    labels: { network: network.name, state },
    value
  }))
}

const kinds: ReadonlyArray<Leaks.Leak["kind"]> = ["reservation", "result", "link", "rule", "chain"]

const leftoversOf = (facts: Facts, life: Leaks.Life): ReadonlyArray<HostValue> => {
  const { network } = facts
  if (network === undefined) return []
  const found = Leaks.find(facts, life)
  return kinds.map((kind) => ({
    name: "cni_leftovers",
    labels: { network: network.name, kind },
    value: found.filter((leak) => leak.kind === kind).length
  }))
}

/** Sets what is known of the networks of this host. What is hidden from this process has no value. */
const setNetworks = Effect.fnUntraced(function*(metrics: Metrics, { cacheDir, confDir }: Places) {
  const networks = yield* Collect.states({ asked: undefined, confDir, cacheDir })
  metrics.setHost("cni_host_local_addresses", networks.flatMap(addressesOf))
  const life = yield* Leaks.look(networks.flatMap(({ all }) => all))
  const isHidden = life.blind !== undefined
  metrics.setHost("cni_leftovers", isHidden ? [] : networks.flatMap((facts) => leftoversOf(facts, life)))
})

const setPlugins = Effect.fnUntraced(function*(metrics: Metrics, { folders }: Places) {
  const fs = yield* FileSystem.FileSystem
  const values: Array<HostValue> = []
  for (const folder of folders) {
    const real = yield* Effect.option(fs.realPath(folder))
    if (real._tag === "None") continue
    const { plugins } = yield* Survey.make(Stub.places(real.value))
    const value = plugins.filter(({ state }) => state === "wrapped" || state === "moved").length
    values.push({ name: "cni_passthrough_wrapped_plugins", labels: { folder: real.value }, value })
  }
  metrics.setHost("cni_passthrough_wrapped_plugins", values)
})

/** How long to look at the networks of this host, in milliseconds. */
const timeout = 30_000

/** Looks at the networks of this host. What cannot be seen has no value, and is no failure. */
export const refreshNetworks = Effect.fnUntraced(function*(metrics: Metrics, places: Places) {
  yield* Effect.ignore(Effect.timeout(setNetworks(metrics, places), timeout))
})

/** Counts the wrapped plugins of this host. Folders that cannot be read have no value. */
export const refreshPlugins = Effect.fnUntraced(function*(metrics: Metrics, places: Places) {
  yield* Effect.ignore(setPlugins(metrics, places))
})
