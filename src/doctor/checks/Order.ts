/** The order of a chain, and what plugins need of each other. */
import type { Check } from "../Check.ts"
import { foundAt } from "../ConfigFile.ts"
import type { Found } from "../Finding.ts"
import * as Roles from "../Roles.ts"

export const chainOrder: Check = {
  id: "chain-order",
  phase: "configuration",
  find: ({ chain }) => {
    const first = chain.find(({ caller, type }) => caller === undefined && type !== "passthrough")
    const [maker, ...others] = chain.filter(Roles.makesInterface)
    const found: Array<Found> = []
    if (first !== undefined && Roles.follows(first)) {
      found.push(foundAt(first.file, [...first.at, "type"], {
        level: "error",
        plugin: first.type,
        message: `${first.type} stands first, and works only on what a plugin before it has made`,
        fix: maker === undefined
          ? "put a plugin that makes an interface, such as bridge, before it"
          : `put it after ${maker.type}`
      }))
    }
    for (const other of others) {
      found.push(foundAt(other.file, [...other.at, "type"], {
        level: "error",
        plugin: other.type,
        message:
          `${other.type} makes the interface that ${maker?.type} has made already: ADD fails, or loses its result`,
        fix: `remove ${other.type} from this network, and give it one of its own`
      }))
    }
    for (const plugin of chain.filter(({ caller }) => caller === undefined)) {
      const { at, config, file, type } = plugin
      if (type === "ptp" && !chain.some(({ caller }) => caller === plugin)) {
        found.push(foundAt(file, [...at, "ipam"], {
          level: "error",
          plugin: type,
          message: "ptp needs addresses, and there is no \"ipam\" with a type",
          fix: "add \"ipam\": { \"type\": \"host-local\", … }"
        }))
      }
      if (type === "bridge" && config["hairpinMode"] === true && config["promiscMode"] === true) {
        found.push(foundAt(file, [...at, "promiscMode"], {
          level: "error",
          plugin: type,
          message: "bridge refuses hairpinMode and promiscMode together",
          fix: "remove \"hairpinMode\" or \"promiscMode\""
        }))
      }
      if (
        type === "portmap" && typeof config["externalSetMarkChain"] === "string" && config["markMasqBit"] !== undefined
      ) {
        found.push(foundAt(file, [...at, "markMasqBit"], {
          level: "error",
          plugin: type,
          message: "portmap refuses externalSetMarkChain and markMasqBit together",
          fix: "remove \"externalSetMarkChain\" or \"markMasqBit\""
        }))
      }
    }
    return found
  }
}
