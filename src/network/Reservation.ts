/**
 * The address reservations of the plugin host-local: a folder for each network, with a file for each address, which
 * names the container and the interface. Source: host-local, `backend/disk`. A request names the folder, so it may hold
 * anything: the plugin reads it through other programs, which can be killed.
 */
import * as Path from "node:path"
import { about, type Inquiry } from "./Inquiry.ts"
import { firstWords, linesOf, type Reader, wordsOf } from "./Line.ts"
import type { Finding } from "./Snapshot.ts"

/** The default folder of host-local's stores. */
export const defaultFolder = "/var/lib/cni/networks"

/** How much of a file to read, in bytes: it holds a container ID and the name of a link. */
export const longest = 4096

/** The owner of an address, from the text of its file. Names that the file lacks are empty. */
export const ownerOf = (text: string): { readonly containerId: string; readonly ifname: string } => {
  const [containerId = "", ifname = ""] = text.trim().split(/\r?\n/)
  return { containerId, ifname }
}

/** Matches IPv4 and IPv6 addresses, but no other name in a network's folder. */
const address = /^(?:[\d.]+|[\da-f:]*:[\da-f:.]*)$/i

/** The longest possible path, in bytes. */
const longestPath = 4096

/** The arguments that make `find` select reservations. Only small regular files are opened. */
const files = "-mindepth 2 -maxdepth 2 ( -name *.*.*.* -o -name *:* ) -type f -size -9".split(" ")

/**
 * The lines of reservations in the output of `head`, which prints the path of each file on a line before its content.
 */
export const lines = (folder: string, text: string): ReadonlyArray<string> =>
  text.split(`==> ${folder}/`).slice(1).flatMap((part) => {
    const [heading = "", ...rest] = part.split(" <==\n")
    const [network = "", name = "", ...others] = heading.split("/")
    if (others.length > 0 || !address.test(name)) return []
    return [[network, name, ...linesOf(rest.join("")).map((line) => line.trim())].join(" ")]
  })

/** Asks for the reservations in the network folders below this folder. */
export const inquiry = (finding: Finding) => (dataDir: string): Inquiry => {
  const isPath = !dataDir.includes("\0") && Buffer.byteLength(dataDir) < longestPath
  const folder = isPath ? Path.resolve(dataDir).replace(/\/$/, "") : "/proc/no-such-folder"
  const argv = ["find", "-L", `${folder}/`, ...files, "-exec", "head", "-v", "-c", String(longest), "{}", "+"] as const
  return about(finding, "ipam", argv, (answer) => lines(folder, answer), true)
}

export const reader: Reader = {
  identity: (line) => firstWords(line, 2),
  words: (line) => {
    const [network, address, ...owner] = wordsOf(line)
    return `ipam ${network}: ${address}${owner.length === 0 ? "" : ` for ${owner.join(" ")}`}`
  }
}
