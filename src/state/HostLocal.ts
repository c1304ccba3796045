/**
 * What the plugin host-local keeps of who has which address: a folder for each network, and in it a file for each
 * address, which has the container and the interface. Source: host-local, `backend/disk`.
 *
 * The request names the folder, so it may hold anything: we read it through other programs, which can be killed.
 */
import * as Path from "node:path"
import { about, type Inquiry } from "./Inquiry.ts"
import { lines } from "./Lines.ts"
import type { Finding } from "./Snapshot.ts"

/** What IPv4 and IPv6 addresses look like, and no other name in the folder of a network does. */
const address = /^(?:[\d.]+|[\da-f:]*:[\da-f:.]*)$/i

/** How much of a file to read, in bytes: it holds a container ID and the name of a link. */
const longest = 4096

/** The longest possible path, in bytes. */
const longestPath = 4096

/**
 * The arguments with which `find` selects files of reservations. Anything that is not a small regular file is not
 * opened.
 */
const files = "-mindepth 2 -maxdepth 2 ( -name *.*.*.* -o -name *:* ) -type f -size -9".split(" ")

/** Parses the output of `head`, which prints each file of this folder after a line with its path. */
export const facts = (folder: string, text: string): ReadonlyArray<string> =>
  text.split(`==> ${folder}/`).slice(1).flatMap((part) => {
    const [heading = "", ...rest] = part.split(" <==\n")
    const [network = "", name = "", ...others] = heading.split("/")
    if (others.length > 0 || !address.test(name)) return []
    return [[network, name, ...lines(rest.join("")).map((line) => line.trim())].join(" ")]
  })

/** Asks for the reservations in the network folders below this folder. */
export const inquiry = (finding: Finding) => (dataDir: string): Inquiry => {
  const isPath = !dataDir.includes("\0") && Buffer.byteLength(dataDir) < longestPath
  const folder = isPath ? Path.resolve(dataDir).replace(/\/$/, "") : "/proc/no-such-folder"
  const argv = ["find", "-L", `${folder}/`, ...files, "-exec", "head", "-v", "-c", String(longest), "{}", "+"] as const
  return about(finding, "ipam", argv, (answer) => facts(folder, answer), true)
}
