/** `--host-root`: a command in a container inspects the host of that container. */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ConfFolder from "../conf/ConfFolder.ts"
import * as HostRoot from "../host/HostRoot.ts"
import * as Flags from "./Flags.ts"

export const flag = Flags.folder("host-root").pipe(
  Flag.withDescription(
    "In a container: where the root of the host is mounted. Folders and logs are then those of the host"
  ),
  Flag.optional
)

/** The value of the flag. */
export interface Asked {
  readonly hostRoot: Option.Option<string>
}

/** The path by which this command finds a file: the one on the host, if the command changed its root to the host's. */
export const seen = ({ hostRoot }: Asked, path: string): string =>
  Option.isNone(hostRoot) ? path : HostRoot.pathOn(hostRoot.value, path)

/**
 * The same for a file, whose path may be relative to the folder in which the command was started. `-` is not a path.
 */
export const seenFile = (asked: Asked, path: string): string =>
  Option.isNone(asked.hostRoot) || path === "-" ? path : seen(asked, HostRoot.resolved(path))

/** The same for a network, which is a file or the name of a network. */
export const seenNetwork = (asked: Asked, network: string): string =>
  network.includes("/") || ConfFolder.isLoadedName(network) ? seenFile(asked, network) : network

/** Changes the root to that of the host, if one is named. Returns the path of a file after that. */
export const enter = ({ hostRoot }: Asked, file = "/") =>
  Option.isNone(hostRoot) ? Effect.succeed(file) : HostRoot.enter(hostRoot.value, file)
