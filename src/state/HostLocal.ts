/**
 * What the plugin host-local keeps of who has which address: a folder for each network, and in it a file for each address,
 * which has the container and the interface. Source: host-local, `backend/disk`.
 *
 * The folder is named by the request, so anything may be there: other programs look into it, which can be ended.
 */
import * as Path from "node:path"
import { about, type Inquiry } from "./Inquiry.ts"
import { lines } from "./Lines.ts"
import type { Finding } from "./Snapshot.ts"

/** What IPv4 and IPv6 addresses look like, and no other name in the folder of a network does. */
const address = /^(?:[\d.]+|[\da-f:]*:[\da-f:.]*)$/i

/** How much of a file is read, in bytes: an identifier, and the name of a link. */
const longest = 4096

/** The longest path that there is, in bytes. */
const longestPath = 4096

/** Files of addresses as `find` takes them: what is not a regular file, or too long, is not opened. */
const files = "-mindepth 2 -maxdepth 2 ( -name *.*.*.* -o -name *:* ) -type f -size -9".split(" ")

/** Facts out of what `head` prints of files of this folder, each after a line with its path. */
export const facts = (folder: string, text: string): ReadonlyArray<string> =>
  text.split(`==> ${folder}/`).slice(1).flatMap((part) => {
    const [heading = "", ...rest] = part.split(" <==\n")
    const [network = "", name = "", ...others] = heading.split("/")
    if (others.length > 0 || !address.test(name)) return []
    return [[network, name, ...lines(rest.join("")).map((line) => line.trim())].join(" ")]
  })

/** Asks who has which address, by the folders of networks in this one. */
export const inquiry = (finding: Finding) => (dataDir: string): Inquiry => {
  const isPath = !dataDir.includes("\0") && Buffer.byteLength(dataDir) < longestPath
  const folder = isPath ? Path.resolve(dataDir).replace(/\/$/, "") : "/proc/no-such-folder"
  const argv = ["find", "-L", `${folder}/`, ...files, "-exec", "head", "-v", "-c", String(longest), "{}", "+"] as const
  return about(finding, "ipam", argv, (answer) => facts(folder, answer), true)
}
