/** Ranges, gateways and routes of a configuration that cannot work on any host. */
import * as Result from "effect/Result"
import { isObject } from "../../json/Json.ts"
import type { Path } from "../../json/JsonText.ts"
import * as Cidr from "../../network/Cidr.ts"
import type { Check } from "../Check.ts"
import { foundAt, type Placed } from "../ConfigFile.ts"
import type { Facts } from "../Facts.ts"
import type { Found } from "../Finding.ts"
import * as Ranges from "../Ranges.ts"
import * as Roles from "../Roles.ts"

const describe = (plugin: Placed) => (path: Path, message: string, fix: string): Found =>
  foundAt(plugin.file, path, { level: "error", plugin: plugin.type, message, fix })

const rangeProblems = (plugin: Placed, range: Ranges.Range): ReadonlyArray<Found> => {
  const { at, end, gateway, saysGateway, start, subnet, written } = range
  const problem = describe(plugin)
  const subnetText = Cidr.text(subnet)
  const given = Cidr.parse(String(written["subnet"]))
  if (subnet.length > (subnet.family === 4 ? 30 : 126)) {
    return [problem([...at, "subnet"], `${subnetText} is too small to give addresses out of`, "use a larger subnet")]
  }
  if (given !== undefined && given.address !== subnet.address) {
    return [problem(
      [...at, "subnet"],
      `found ${JSON.stringify(written["subnet"])}, an address in the subnet, expected the subnet ${subnetText}`,
      `set "subnet" to "${subnetText}"`
    )]
  }
  const isInside = (address: bigint) => Cidr.contains(subnet, { ...gateway, family: subnet.family, address })
  const outside = (name: string) =>
    problem(
      [...at, name],
      `${String(written[name])} is not in the subnet ${subnetText}`,
      `set "${name}" to an address in ${subnetText}`
    )
  return [
    ...(saysGateway && !Cidr.contains(subnet, gateway) && plugin.caller?.type !== "calico" ? [outside("gateway")] : []),
    ...(isInside(start) ? [] : [outside("rangeStart")]),
    ...(isInside(end) ? [] : [outside("rangeEnd")]),
    ...(isInside(start) && isInside(end) && start > end
      ? [problem([...at, "rangeStart"], `${String(written["rangeStart"])} is after the end of the range`, "swap them")]
      : []),
    ...(saysGateway && Cidr.contains(subnet, gateway) && gateway.address === subnet.address
      ? [
        problem(
          [...at, "gateway"],
          `${Cidr.addressText(gateway)} is the address of the subnet itself`,
          `set "gateway" to another address in ${subnetText}`
        )
      ]
      : [])
  ]
}

const setProblems = (plugin: Placed, set: Ranges.RangeSet): ReadonlyArray<Found> => {
  const problem = describe(plugin)
  const [first] = set
  const isOther = ({ subnet }: Ranges.Range) => subnet.family !== first?.subnet.family
  const inOrder = set.filter((range) => !isOther(range))
    .toSorted((left, right) => left.start < right.start ? -1 : left.start > right.start ? 1 : 0)
  return [
    ...set.filter(isOther).map(({ at }) =>
      problem(
        at,
        "addresses of both families in one set, but a container gets only one of them: each family needs its own set",
        "write [[IPv4], [IPv6]] in place of [[IPv4, IPv6]]"
      )
    ),
    ...inOrder.flatMap((range, index) => {
      const before = inOrder[index - 1]
      return before !== undefined && range.start <= before.end
        ? [
          problem(
            range.at,
            `the range overlaps with another of its set (${Ranges.text([before])})`,
            "remove one of them"
          )
        ]
        : []
    })
  ]
}

/** Whether two ranges overlap by host-local's rule. Source: host-local, `Range.Overlaps`. */
const doOverlap = (left: Ranges.Range, right: Ranges.Range): boolean =>
  left.subnet.family === right.subnet.family && left.start <= right.end && right.start <= left.end

/** Overlapping ranges, including `subnet` beside `ranges`. host-local rejects them. */
const overlappingSets = (plugin: Placed, sets: ReadonlyArray<Ranges.RangeSet>): ReadonlyArray<Found> =>
  sets.flatMap((set, index) => {
    const other = sets.slice(0, index).flat().find((before) => set.some((range) => doOverlap(before, range)))
    const range = other === undefined ? undefined : set.find((range) => doOverlap(other, range))
    return other === undefined || range === undefined ? [] : [
      describe(plugin)(
        range.at,
        `the range ${Ranges.text([range])} overlaps with ${
          Ranges.text([other])
        } of another set: host-local refuses both`,
        "remove one of them"
      )
    ]
  })

const hostLocal = (plugin: Placed, capabilities: unknown): ReadonlyArray<Found> => {
  const { at, config } = plugin
  const problem = describe(plugin)
  const sets = Ranges.of(config, at)
  const isGivenLater = isObject(capabilities) && capabilities["ipRanges"] === true
  if (config["subnet"] === undefined && config["ranges"] === undefined && !isGivenLater) {
    return [
      problem(at, "no range of addresses: found neither subnet nor ranges", "add \"ranges\": [[{ \"subnet\": … }]]")
    ]
  }
  return [
    ...sets.flatMap((set) => set.flatMap((range) => rangeProblems(plugin, range))),
    ...sets.flatMap((set) => setProblems(plugin, set)),
    ...overlappingSets(plugin, sets)
  ]
}

/** Gateways of routes that are in no subnet of the network. The kernel rejects such routes. */
const routeProblems = (plugin: Placed, subnets: ReadonlyArray<Cidr.Cidr>): ReadonlyArray<Found> => {
  const { at, config: { routes } } = plugin
  if (!Array.isArray(routes) || subnets.length === 0) return []
  return routes.flatMap((route, index) => {
    const gateway = Cidr.parseAddress(isObject(route) ? String(route["gw"] ?? "") : "")
    return gateway === undefined || subnets.some((subnet) => Cidr.contains(subnet, gateway)) ? [] : [
      describe(plugin)(
        [...at, "routes", index, "gw"],
        `the gateway ${Cidr.addressText(gateway)} is in no subnet of the network (${
          subnets.map(Cidr.text).join(", ")
        })`,
        "set a gateway that is"
      )
    ]
  })
}

const staticProblems = (
  plugin: Placed,
  capabilities: unknown,
  attachments: Facts["attachments"]
): ReadonlyArray<Found> => {
  const { at, config: { addresses } } = plugin
  const list = Array.isArray(addresses) ? addresses.filter(isObject) : []
  const isGivenLater = isObject(capabilities) && capabilities["ips"] === true
  const isAttached = attachments.some(({ result }) => Result.isSuccess(result) && (result.success.ips ?? []).length > 0)
  if (list.length === 0 && !isGivenLater && !isAttached && plugin.caller?.config["args"] === undefined) {
    return [{
      ...describe(plugin)(
        at,
        "no addresses, so each attachment must bring its own through IP= in CNI_ARGS",
        "add \"addresses\""
      ),
      level: "note"
    }]
  }
  return list.flatMap(({ address, gateway }, index) => {
    const subnet = Cidr.parse(String(address))
    const via = Cidr.parseAddress(String(gateway ?? ""))
    return subnet === undefined || via === undefined || Cidr.contains(subnet, via) ? [] : [
      describe(plugin)(
        [...at, "addresses", index, "gateway"],
        `${Cidr.addressText(via)} is not in the subnet ${Cidr.text(Cidr.network(subnet))}`,
        `set "gateway" to an address in ${Cidr.text(Cidr.network(subnet))}`
      )
    ]
  })
}

/** The subnets that an IPAM plugin allocates addresses from, according to its configuration. */
export const subnetsOf = ({ at, config, type }: Placed): ReadonlyArray<Cidr.Cidr> =>
  type === "host-local"
    ? Ranges.of(config, at).flat().map(({ subnet }) => subnet)
    : type === "static" && Array.isArray(config["addresses"])
    ? config["addresses"].flatMap((each) => {
      const cidr = Cidr.parse(isObject(each) ? String(each["address"]) : "")
      return cidr === undefined ? [] : [Cidr.network(cidr)]
    })
    : []

export const addressing: Check = {
  id: "addressing",
  phase: "configuration",
  find: ({ attachments, chain, delegates, host }) =>
    [...chain, ...delegates].filter((each) => each.caller !== undefined && Roles.isAsWritten(each)).flatMap(
      (plugin) => {
        const capabilities = plugin.caller?.config["capabilities"]
        const own = plugin.type === "host-local"
          ? hostLocal(plugin, capabilities)
          : plugin.type === "static"
          ? staticProblems(plugin, capabilities, attachments)
          : []
        const { resolvConf } = plugin.config
        const isMissing = plugin.type === "host-local" && typeof resolvConf === "string" && resolvConf !== "" &&
          host !== undefined && !host.files.has(resolvConf)
        const subnets = own.length === 0 && plugin.caller?.type !== "ptp" ? subnetsOf(plugin) : []
        return [
          ...own,
          ...routeProblems(plugin, subnets),
          ...(isMissing
            ? [
              describe(plugin)(
                [...plugin.at, "resolvConf"],
                `there is no file ${resolvConf}`,
                "name an existing file"
              )
            ]
            : [])
        ]
      }
    )
}
