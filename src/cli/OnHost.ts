/** `--host-root`: a command in a container looks at the host of that container. */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as HostRoot from "../host/HostRoot.ts"
import * as Flags from "./Flags.ts"

/** The flag. */
export const flag = Flags.folder("host-root").pipe(
  Flag.withDescription("In a container: where the root of the host is mounted. Folders and logs are the host's then"),
  Flag.optional
)

/** The value of the flag. */
export interface Asked {
  readonly hostRoot: Option.Option<string>
}

/** The path that this command finds a file by: that of the host, where it went to the root of the host. */
export const seen = ({ hostRoot }: Asked, path: string): string =>
  Option.isNone(hostRoot) ? path : HostRoot.pathOn(hostRoot.value, path)

/** Goes to the root of the host, where one is named. Returns a path by which a file of before is found. */
export const enter = ({ hostRoot }: Asked, file = "/") =>
  Option.isNone(hostRoot) ? Effect.succeed(file) : HostRoot.enter(hostRoot.value, file)
