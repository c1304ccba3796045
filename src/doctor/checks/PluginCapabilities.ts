/** Arguments of capabilities, which reach only plugins that declare them. */
import { isObject } from "../../json/Json.ts"
import type { Check } from "../Check.ts"
import { foundAt } from "../ConfigFile.ts"
import type { Facts } from "../Facts.ts"
import type { Found } from "../Finding.ts"
import * as Names from "../Names.ts"
import * as NearMiss from "../NearMiss.ts"
import * as Roles from "../Roles.ts"

/** Source: CNI conventions, "Dynamic Plugin specific fields", and what containerd and CRI-O pass on. */
const conventional = [
  "portMappings",
  "ipRanges",
  "bandwidth",
  "dns",
  "ips",
  "mac",
  "infinibandGUID",
  "deviceID",
  "aliases",
  "cgroupPath"
]

/** The plugin that a capability is for. */
const takers: { readonly [capability: string]: string } = {
  portMappings: "portmap",
  bandwidth: "bandwidth",
  ipRanges: "host-local",
  ips: "host-local"
}

const isGiven = (value: unknown): boolean =>
  value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0) &&
  !(isObject(value) && Object.keys(value).length === 0)

/** The capability arguments, and who gave them. */
const given = ({ attachments, capabilityArgs }: Facts) => [
  ...Object.entries(capabilityArgs).map(([name, value]) => ({ name, value, who: "--capability-args" })),
  ...attachments.flatMap((attachment) =>
    Object.entries(attachment.capabilityArgs)
      .map(([name, value]) => ({ name, value, who: `the attachment of ${Names.container(attachment)}` }))
  )
]

export const capabilities: Check = {
  id: "capabilities",
  phase: "configuration",
  find: (facts) => {
    const { chain, file } = facts
    const declared = new Set(
      chain.flatMap(({ config: { capabilities } }) =>
        isObject(capabilities) ? Object.keys(capabilities).filter((name) => capabilities[name] === true) : []
      )
    )
    const found: Array<Found> = []
    for (const { at, config, file, type } of chain) {
      const names = isObject(config["capabilities"]) ? Object.keys(config["capabilities"]) : []
      for (const name of names.filter((name) => !conventional.includes(name))) {
        const meant = NearMiss.nearest(name, conventional)
        if (meant === undefined) continue
        found.push(foundAt(file, [...at, "capabilities", name], {
          level: "warning",
          plugin: type,
          message: `no runtime knows this capability: did you mean ${meant}?`,
          fix: `rename "${name}" to "${meant}"`
        }))
      }
    }
    const missing = new Map<string, { readonly who: string; readonly value: unknown }>()
    for (const { name, value, who } of given(facts)) {
      if (isGiven(value) && !declared.has(name) && !missing.has(name)) missing.set(name, { who, value })
    }
    if (file === undefined || facts.network === undefined) return found
    for (const [name, { value, who }] of missing) {
      const again = who === "--capability-args" ? "" : ", and attach the containers anew"
      const taker = chain.find(({ type }) => type === takers[name])
      // Runtimes pass some of them to every network, so they matter only if a plugin of the chain would take them.
      if (taker === undefined && who !== "--capability-args" && name !== "portMappings") continue
      const declaring = taker?.caller ?? taker
      const doesItself = chain.find(Roles.mayPublishPorts)
      if (taker === undefined && name === "portMappings" && doesItself !== undefined && who !== "--capability-args") {
        continue
      }
      found.push(foundAt(declaring?.file ?? file, declaring?.at ?? [], {
        level: "error",
        ...(taker === undefined ? {} : { plugin: taker.type }),
        message: `no plugin of the chain declares the capability ${name}: what ${who} gives for it is lost`,
        evidence: [JSON.stringify({ [name]: value }).slice(0, 500)],
        fix: declaring === undefined
          ? takers[name] === undefined
            ? "add a plugin that has it"
            : `add { "type": "${takers[name]}", "capabilities": { "${name}": true } } to the chain${again}`
          : `add "capabilities": { "${name}": true } to ${declaring.type}${again}`
      }))
    }
    return found
  }
}
