/**
 * What the plugin host-local keeps of who has which address: a folder for each network, and in it a file for each address,
 * which has the container and the interface. Source: host-local, `backend/disk`.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"

const attempt = <A>(io: () => A, otherwise: A): A => {
  try {
    return io()
  } catch {
    return otherwise
  }
}

const namesIn = (folder: string): ReadonlyArray<string> => attempt(() => Fs.readdirSync(folder), [])

/** What IPv4 and IPv6 addresses look like, and no other name in the folder of a network does. */
const address = /^(?:[\d.]+|[\da-f:]*:[\da-f:.]*)$/i

/** A fact for each address that is taken in the folders of networks in this folder: `podman 10.88.0.2 CONTAINER eth0`. */
export const facts = (folder: string): ReadonlyArray<string> =>
  namesIn(folder).flatMap((network) =>
    namesIn(Path.join(folder, network)).filter((name) => address.test(name)).map((name) => {
      const owner = attempt(() => Fs.readFileSync(Path.join(folder, network, name), "utf8"), "")
      return `${network} ${name} ${owner.trim().replace(/\s+/g, " ")}`.trim()
    })
  )
