/** The order of a chain, and how its plugins depend on each other. */
import * as CniVersion from "../../cni/CniVersion.ts"
import { isObject } from "../../json/Json.ts"
import type { Check } from "../Check.ts"
import { foundAt, type Placed } from "../ConfigFile.ts"
import type { Facts } from "../Facts.ts"
import type { Found } from "../Finding.ts"
import * as Roles from "../Roles.ts"

/** The fields that name host-device's device. Source: containernetworking/plugins, host-device, `loadConf`. */
const deviceFields = ["device", "hwaddr", "kernelpath", "pciBusID"]

const isFilled = (value: unknown): boolean => typeof value === "string" && value !== ""

/** Whether the runtime names the device. */
const isGivenLater = ({ config: { capabilities } }: Placed): boolean =>
  isObject(capabilities) && capabilities["deviceID"] === true

/** The default MTU of links, in bytes. */
const usualMtu = 1500

/** Plugins that make an interface without addresses if they have no `ipam`. */
const withoutAddresses = new Set(["bridge", "macvlan", "host-device"])

/** In these versions a result contains only addresses. Source: CNI specification 0.2.0, "Result". */
const isBefore03 = (network: Facts["network"]): boolean =>
  network !== undefined && CniVersion.isSupported(network.cniVersion) &&
  !CniVersion.isAtLeast(network.cniVersion, "0.3.0")

export const chainOrder: Check = {
  id: "chain-order",
  phase: "configuration",
  find: ({ chain, network }) => {
    const first = chain.find(({ caller, type }) => caller === undefined && type !== "passthrough")
    const [maker, ...others] = chain.filter(Roles.makesInterface)
    const found: Array<Found> = []
    // A single plugin with a prevResult in its file is run by hand on that result.
    if (first !== undefined && Roles.follows(first) && !isObject(first.config["prevResult"])) {
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
      if (type === "host-device" && !deviceFields.some((name) => isFilled(config[name])) && !isGivenLater(plugin)) {
        found.push(foundAt(file, [...at, "type"], {
          level: "error",
          plugin: type,
          message: `host-device has no device: found none of ${deviceFields.join(", ")}`,
          fix: "add \"device\", the name of a link of the host"
        }))
      }
      if (withoutAddresses.has(type) && !chain.some(({ caller }) => caller === plugin) && isBefore03(network)) {
        found.push(foundAt(file, [...at, "type"], {
          level: "error",
          plugin: type,
          message:
            `${type} without "ipam" has no address, and a result of version ${network?.cniVersion} must have one`,
          fix: "set \"cniVersion\" to \"0.3.1\" or newer, or add \"ipam\""
        }))
      }
      if (type === "bandwidth" && maker !== undefined) {
        const mtu = Number(maker.config["mtu"]) || usualMtu
        for (const key of ["ingressBurst", "egressBurst"]) {
          const burst = Number(config[key])
          if (!(burst > 0 && burst < 8 * mtu)) continue
          found.push(foundAt(file, [...at, key], {
            level: "warning",
            plugin: type,
            message: `found ${burst} bits, less than one packet of ${mtu} bytes, so larger packets are dropped`,
            fix: `set "${key}" to ${8 * mtu} or more`
          }))
        }
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
