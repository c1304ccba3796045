/** The result of an ADD, for the operations after it. */
import * as Result from "effect/Result"
import type { NetworkConfigList } from "../cni/NetworkConfigList.ts"
import * as ResultConversion from "../cni/ResultConversion.ts"
import type { Cached } from "./ResultCache.ts"

/** The result in the version that the list has now, which may be newer or older than its own; or why there is none. */
export const of = (
  cached: Cached | undefined,
  { cniVersion }: Pick<NetworkConfigList, "cniVersion">
): Result.Result<string | undefined, string> =>
  cached?.result === undefined
    ? Result.succeed(undefined)
    : Result.mapError(
      ResultConversion.convert(cached.result, cniVersion),
      (reason) => `the result of the add cannot be used in version ${cniVersion}: ${reason}`
    )
