/** The success documents that the plugin makes itself: an empty result, and its versions. */
import * as CniVersion from "./CniVersion.ts"

/** The result of ADD for the first plugin of a chain. Source: CNI specification, section 5, "ADD Success". */
export const empty = (cniVersion: string): string => JSON.stringify({ cniVersion })

/**
 * The answer to VERSION. It has the version of the request if this plugin supports it, else the newest supported one.
 * Source: CNI specification, section 5, "VERSION Success".
 */
export const versions = (cniVersion: string): string =>
  JSON.stringify({
    cniVersion: CniVersion.isSupported(cniVersion) ? cniVersion : CniVersion.newest,
    supportedVersions: CniVersion.supported
  })
