/** The requests that plugins are called with. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { type Executable, path } from "./executables.ts"
import { folder } from "./folder.ts"
import { isMissing, type Result, type Start } from "./measure.ts"

/** The file that plugins log to. */
export const log = Path.join(folder, "log")

const attachment = {
  CNI_CONTAINERID: "bench-1",
  CNI_NETNS: "/run/netns/no-such-namespace",
  CNI_IFNAME: "eth0",
  CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAME=web-0",
  CNI_PATH: "/opt/cni/bin"
}

/** Writes a network configuration with these fields, and in its result this many routes, and returns its file. */
export const stdin = (name: string, fields: object, routes = 0): string => {
  const file = Path.join(folder, `${name}.json`)
  const prevResult = {
    cniVersion: "1.0.0",
    interfaces: [{ name: "eth0" }],
    ips: [{ address: "10.88.0.17/16" }],
    routes: Array.from({ length: routes }, (_, index) => ({
      dst: `10.${index >> 16 & 255}.${index >> 8 & 255}.${index & 255}/32`,
      gw: "10.88.0.1"
    }))
  }
  Fs.writeFileSync(file, JSON.stringify({ cniVersion: "1.0.0", name: "bench", type: "tap", ...fields, prevResult }))
  return file
}

/** The configurations of most cases. */
export const text = () => stdin("text", { logFile: log })
export const json = () => stdin("json", { logFile: log, logFormat: "json" })

/** A call of a plugin. */
export const call = (
  plugin: Result<Executable>,
  stdin: string,
  { TZ = "UTC", command = "ADD" }: { readonly TZ?: string; readonly command?: "ADD" | "DEL" | "VERSION" } = {}
): Result<Start> =>
  isMissing(plugin)
    ? plugin
    : { argv: plugin.argv, stdin, env: { PATH: path(), ...attachment, CNI_COMMAND: command, TZ } }

/** A run of something that is no plugin. */
export const plain = (argv: Start["argv"]): Start => ({ argv, env: { PATH: path(), TZ: "UTC" } })

/** A shell script that starts things. */
export const shell = (script: string): Start => plain(["/bin/sh", "-c", script])
