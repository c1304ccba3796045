/** What goes to stdout when a request succeeds. */
import * as CniVersion from "./CniVersion.ts"

/** The result of an ADD that is the first of its chain. Source: CNI specification, section 5, "ADD Success". */
export const empty = (cniVersion: string): string => JSON.stringify({ cniVersion })

/**
 * The answer to VERSION: with the version of the request where we speak it, else with our newest.
 * Source: CNI specification, section 5, "VERSION Success".
 */
export const versions = (cniVersion: string): string =>
  JSON.stringify({
    cniVersion: CniVersion.isSupported(cniVersion) ? cniVersion : CniVersion.newest,
    supportedVersions: CniVersion.supported
  })
