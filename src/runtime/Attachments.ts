/** Attachments of containers to networks: their identities and the arguments for their plugins. */
import * as Data from "effect/Data"
import * as Crypto from "node:crypto"
import { identifier, interfaceNameProblem } from "../cni/Environment.ts"
import { describe, isObject, type JsonObject, parse } from "../json/Json.ts"

/** The pairs of CNI_ARGS. Source: CNI specification, section 2, "Parameters". */
export type Arguments = ReadonlyArray<readonly [key: string, value: string]>

/** An attachment of a container to a network. */
export interface Attachment {
  readonly network: string
  readonly containerId: string
  readonly ifname: string
  /** The absolute path of the network namespace, or empty if it is unknown. */
  readonly netns: string
  readonly args: Arguments
  /** The values of capabilities, by name. Source: CNI conventions, "Dynamic Plugin specific fields". */
  readonly capabilityArgs: JsonObject
}

/**
 * The network of an attachment's loopback link, which containerd, and CRI-O and kubelet before they set `lo` up
 * themselves, bring along. It is in no file. They cache its result with all arguments of the pod, its ports too. Source:
 * go-cni, `opts.go`; ocicni, `pkg/ocicni/ocicni.go`.
 */
export const loopbackNetwork = "cni-loopback"

/** Whether an attachment is only the loopback link of a container, which is attached to no network by it. */
export const isLoopback = ({ ifname }: { readonly ifname?: string | undefined }): boolean => ifname === "lo"

/** The members that identify an attachment. Source: CNI specification, section 3, "Attachment". */
export type Identity = Pick<Attachment, "network" | "containerId" | "ifname">

/** An attachment has invalid names. */
export class InvalidAttachment extends Data.TaggedError("InvalidAttachment")<{
  readonly problems: ReadonlyArray<string>
}> {
  override readonly message = this.problems.join("\n")
}

const expectedIdentifier = "a letter or digit, then letters, digits, '_', '.' or '-'"

/** Returns the problems of the names of an attachment. Source: libcni, `pkg/utils`. */
export const problems = ({ containerId, ifname, network }: Identity): ReadonlyArray<string> => {
  const found: Array<string> = []
  if (!identifier.test(network)) found.push(`network: found ${describe(network)}, expected ${expectedIdentifier}`)
  if (!identifier.test(containerId)) {
    found.push(`container ID: found ${describe(containerId)}, expected ${expectedIdentifier}`)
  }
  const problem = ifname === "" ? "is empty" : interfaceNameProblem(ifname)
  if (problem !== undefined) found.push(`interface name: found ${describe(ifname)}, which ${problem}`)
  return found
}

/**
 * Returns the container ID that `cnitool` derives from a network namespace, so that both commands can continue each
 * other's attachments.
 */
export const containerIdOf = (netns: string): string =>
  `cnitool-${Crypto.createHash("sha512").update(netns).digest("hex").slice(0, 20)}`

/** Parses CNI_ARGS: `KEY=VALUE;KEY=VALUE`. Throws if a pair is invalid, as `cnitool` does. */
export const parseArguments = (args: string): Arguments =>
  args === "" ? [] : args.split(";").map((pair) => {
    const [key, value, ...more] = pair.split("=")
    if (!key || !value || more.length > 0) {
      throw new Error(`found the pair ${JSON.stringify(pair)}, expected KEY=VALUE`)
    }
    return [key, value]
  })

/** Formats pairs as CNI_ARGS. */
export const formatArguments = (args: Arguments): string => args.map((pair) => pair.join("=")).join(";")

/** Parses the arguments of capabilities. `null` means none. Throws if the text is not a JSON object. */
export const parseCapabilityArguments = (json: string): JsonObject => {
  const value = json.trim() === "null" ? {} : parse(json)
  if (value === undefined) throw new Error(`found ${describe(json)}, expected JSON`)
  if (!isObject(value)) throw new Error(`found ${describe(value)}, expected an object such as {"portMappings":[…]}`)
  return value
}
