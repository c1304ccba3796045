/** The cached result of ADD, for later operations. */
import * as Result from "effect/Result"
import type { NetworkConfigList } from "../cni/NetworkConfigList.ts"
import * as ResultConversion from "../cni/ResultConversion.ts"
import type { Found } from "./ResultCache.ts"

/**
 * Returns the cached result, converted to the current version of the list, which may be newer or older. Returns
 * undefined if the cache has no result, and fails with a reason if the cached one cannot be used.
 */
export const of = (
  found: Found,
  { cniVersion }: Pick<NetworkConfigList, "cniVersion">
): Result.Result<string | undefined, string> => {
  switch (found._tag) {
    case "Missing":
      return Result.succeed(undefined)
    case "Unknown":
      return Result.fail(`${found.file} cannot be used: ${found.reason}`)
    case "Another": {
      const { containerId, ifname, network } = found.attachment
      return Result.fail(`${found.file} belongs to ${ifname} of ${containerId} on ${network}`)
    }
    case "Cached":
      return found.attachment.result === undefined
        ? Result.succeed(undefined)
        : Result.mapError(
          ResultConversion.convert(found.attachment.result, cniVersion),
          (reason) => `the result of ADD cannot be used in version ${cniVersion}: ${reason}`
        )
  }
}
