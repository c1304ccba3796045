/** What plugins need on the host before they can do anything: tools, links to build on, a daemon. */
import * as Result from "effect/Result"
import * as ShellQuote from "../../exec/ShellQuote.ts"
import type { Path } from "../../json/JsonText.ts"
import type { Check } from "../Check.ts"
import { foundAt, type Placed, valueAt } from "../ConfigFile.ts"
import { interfacesOf } from "../facts/Attachment.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import type { NeededFile } from "../plugins/KnownPlugin.ts"
import * as ThirdParty from "../plugins/ThirdParty.ts"
import * as Roles from "../Roles.ts"

/** The tools that a plugin needs. */
const toolsOf = ({ caller, config, type }: Placed): ReadonlyArray<string> => {
  if (caller !== undefined) return []
  if (type === "portmap") {
    return config["backend"] === "nftables"
      ? ["nft"]
      : config["backend"] === "iptables"
      ? ["iptables"]
      : ["iptables", "nft"]
  }
  if (type === "firewall") return config["backend"] === "firewalld" ? [] : ["iptables"]
  const masquerades = (type === "bridge" || type === "ptp") && config["ipMasq"] === true
  return masquerades ? config["ipMasqBackend"] === "nftables" ? ["nft"] : ["iptables"] : []
}

export const pluginTools: Check = {
  id: "plugin-tools",
  phase: "plugins",
  find: ({ chain, host }) => {
    if (host === undefined) return { skipped: "the host was not looked at" }
    return chain.flatMap((plugin) => {
      const tools = toolsOf(plugin)
      if (tools.length === 0 || tools.some((tool) => host.tools.has(tool))) return []
      return [foundAt(plugin.file, [...plugin.at, "type"], {
        level: "error",
        plugin: plugin.type,
        message: `${plugin.type} needs ${tools.join(" or ")}, which is not on the PATH`,
        evidence: [`PATH=${process.env["PATH"] ?? ""}`],
        fix: `install the package ${tools[0] === "nft" ? "nftables" : "iptables"}, ` +
          "or, where it is installed, give the runtime a PATH with its folder, such as /usr/sbin"
      })]
    })
  }
}

/** Plugins that build on a link of the host. */
const onMaster = new Set(["macvlan", "ipvlan", "vlan"])

/** Plugins that need a link for themselves, because the kernel lets only one user receive its frames. */
const exclusive = new Set(["macvlan", "ipvlan"])

const linkProblems = (plugin: Placed, names: ReadonlyArray<string>, hasDefault: boolean): ReadonlyArray<Found> => {
  const { at, config, file, type } = plugin
  if (config["linkInContainer"] === true) return []
  const key = type === "host-device" ? "device" : "master"
  const name = config[key]
  const error = (
    message: string,
    fix: string
  ) => [foundAt(file, [...at, key], { level: "error", plugin: type, message, fix })]
  if (typeof name === "string" && name !== "") {
    return names.includes(name) ? [] : error(
      `the host has no link ${name}, expected one of ${names.filter((each) => each !== "lo").join(", ") || "none"}`,
      `set "${key}" to a link that is there, or make the link ${name}`
    )
  }
  if (type === "host-device") return []
  if (type === "vlan") return error("found no master, expected the name of a link", "add \"master\"")
  return hasDefault || config["ipam"] === undefined
    ? []
    : error("found no master, and the host has no default route that would tell one", "add \"master\"")
}

export const masterLink: Check = {
  id: "master-link",
  phase: "plugins",
  find: ({ attachments, chain, host }) => {
    if (host === undefined || Result.isFailure(host.network)) {
      return { skipped: "the links of the host are not known", isUnknown: true }
    }
    const { links, routes } = host.network.success
    const hasDefault = routes.some(({ table, to }) => table === "main" && to.length === 0)
    const isMoved = attachments.length > 0
    return chain.filter(({ caller, type }) => caller === undefined && (onMaster.has(type) || type === "host-device"))
      .flatMap((plugin) => {
        if (plugin.type === "host-device" && isMoved) return [] // it is in the namespace now
        const problems = linkProblems(plugin, links.map(({ name }) => name), hasDefault)
        const master = links.find(({ name }) => name === plugin.config["master"])
        const upper = links.find(({ name }) => name === master?.master)
        const isTaken = exclusive.has(plugin.type) && master?.master !== undefined && upper?.kind !== "vrf" &&
          plugin.config["linkInContainer"] !== true
        if (isTaken) {
          return [foundAt(plugin.file, [...plugin.at, "master"], {
            level: "error",
            plugin: plugin.type,
            message:
              `the link ${master.name} is a port of ${master.master}, so ${plugin.type} cannot stand on it: ADD ` +
              "fails with \"device or resource busy\"",
            evidence: [`${master.name}: master ${master.master}`],
            fix: `set "master" to ${master.master}, or take ${master.name} out of it`
          })]
        }
        return problems.length > 0 || master === undefined || master.isUp || !onMaster.has(plugin.type)
          ? problems
          : [foundAt(plugin.file, [...plugin.at, "master"], {
            level: "error",
            plugin: plugin.type,
            message: `the link ${master.name} of the host is down`,
            evidence: [`${master.name}: state ${master.state}`],
            fix: Fix.run("set it up", Fix.command("ip link set", master.name, "up"))
          })]
      })
  }
}

/** The string at a path of a configuration, if there is one. */
const textAt = (config: unknown, path: Path): string | undefined => {
  const value = valueAt(config, path)
  return typeof value === "string" && value !== "" ? value : undefined
}

/** The files that a third-party plugin opens, each with the field that names it. */
export const filesOf = (
  { config, type }: Placed
): ReadonlyArray<{ readonly file: string; readonly needed: NeededFile }> =>
  (ThirdParty.byType.get(type)?.files ?? []).flatMap((needed) => {
    const file = textAt(config, needed.at) ?? needed.fallback
    return file === undefined || needed.isOptional?.(config) === true ? [] : [{ file, needed }]
  })

export const pluginFiles: Check = {
  id: "plugin-files",
  phase: "plugins",
  find: ({ chain, delegates, host }) => {
    if (host === undefined) return { skipped: "the host was not looked at" }
    return [...chain, ...delegates].flatMap((plugin) =>
      filesOf(plugin).filter(({ file }) => !host.files.has(file)).map(({ file, needed: { at, purpose } }) =>
        foundAt(plugin.file, [...plugin.at, ...textAt(plugin.config, at) === undefined ? ["type"] : at], {
          level: "warning",
          plugin: plugin.type,
          message: `${plugin.type} opens ${file}, which is not there: ${purpose}`,
          fix: "start the program that creates it, or correct the path"
        })
      )
    )
  }
}

/** The default socket of the dhcp daemon. */
export const dhcpSocket = "/run/cni/dhcp.sock"

export const dhcpDaemon: Check = {
  id: "dhcp-daemon",
  phase: "plugins",
  find: ({ chain, host, plugins }) => {
    if (host === undefined) return { skipped: "the host was not looked at" }
    return chain.filter(({ type }) => type === "dhcp").flatMap(({ at, config, file, type }) => {
      const socket = String(config["daemonSocketPath"] ?? dhcpSocket)
      return host.files.has(socket) ? [] : [foundAt(file, [...at, "type"], {
        level: "error",
        plugin: type,
        message: `dhcp needs its daemon, and there is no socket ${socket}`,
        fix: `start it: ${ShellQuote.word(plugins.get(type)?.file ?? "/usr/lib/cni/dhcp")} daemon${
          socket === dhcpSocket ? "" : ` -socketpath ${ShellQuote.word(socket)}`
        }`
      })]
    })
  }
}

/** Why a plugin sets sysctls of the host; undefined if it sets none. */
const settingOf = ({ caller, config, type }: Placed): string | undefined => {
  if (caller !== undefined) return undefined
  const isGateway = type === "bridge" && (config["isGateway"] === true || config["isDefaultGateway"] === true)
  return isGateway || type === "ptp" ? "turns forwarding on" : type === "portmap" ? "sets route_localnet" : undefined
}

export const writableSysctls: Check = {
  id: "writable-sysctls",
  phase: "plugins",
  find: ({ chain, host }) => {
    if (host === undefined) return { skipped: "the host was not looked at" }
    const plugin = chain.find((each) => settingOf(each) !== undefined)
    return !host.hasReadOnlySysctls || plugin === undefined ? [] : [foundAt(plugin.file, [...plugin.at, "type"], {
      level: "error",
      plugin: plugin.type,
      message:
        `/proc/sys is mounted read-only, and ${plugin.type} ${settingOf(plugin)}: ADD fails with "read-only file ` +
        "system\"",
      evidence: ["/proc/self/mounts: /proc/sys is mounted ro"],
      fix: Fix.run("mount it writable", Fix.command("mount -o remount,rw,bind /proc/sys"))
    })]
  }
}

/** The port of DHCP servers. */
export const dhcpServerPort = 67

export const dhcpServer: Check = {
  id: "dhcp-server",
  phase: "plugins",
  find: ({ all, chain, host }) => {
    const name = Roles.bridgeOf(chain)
    const dhcp = chain.find(({ caller, type }) => caller?.type === "bridge" && type === "dhcp")
    if (dhcp === undefined || name === undefined) return { skipped: "no bridge has its addresses from a DHCP server" }
    if (host === undefined || Result.isFailure(host.network)) {
      return { skipped: "the links of the host are not known", isUnknown: true }
    }
    const { links } = host.network.success
    const ofContainers = new Set(
      all.flatMap(({ result }) => Result.isSuccess(result) ? interfacesOf(result.success) : [])
        .filter(({ sandbox }) => sandbox === "").map((each) => each.name)
    )
    const ports = links.filter(({ master }) => master === name)
    const others = ports.filter((each) => !ofContainers.has(each.name))
    const isOnHost = Result.isSuccess(host.listeners) &&
      host.listeners.success.some(({ port, protocol }) => port === dhcpServerPort && protocol === "udp")
    // People remove unwanted ports, so a port that is down may be meant to be up.
    const isLed = others.some(({ isUp }) => isUp)
    if (isLed || isOnHost) return []
    const [down] = others
    return [foundAt(dhcp.file, [...dhcp.at, "type"], {
      level: "error",
      plugin: dhcp.type,
      message: down === undefined
        ? `no DHCP server can answer on the bridge ${name}: no uplink is a port of it, and no program of the host listens ` +
          `on UDP port ${dhcpServerPort}, so ADD fails`
        : `no DHCP server can answer on the bridge ${name}: its uplink ${down.name} is down, so ADD fails`,
      evidence: links.some((each) => each.name === name)
        ? [`ports of ${name}: ${ports.map((each) => each.name).join(", ") || "none"}`]
        : [`the bridge ${name} is not there yet: bridge makes it without any port but those of containers`],
      fix: down === undefined
        ? `make the link that leads to the server a port of ${name}, which takes the host's addresses of it: ` +
          `ip link set LINK master ${ShellQuote.word(name)}`
        : Fix.run("set it up", Fix.command("ip link set", down.name, "up"))
    })]
  }
}
