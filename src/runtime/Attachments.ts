/** What identifies an attachment of a container to a network, and what its plugins are called with. */
import * as Data from "effect/Data"
import * as Crypto from "node:crypto"
import { identifier, interfaceNameProblem } from "../cni/Environment.ts"
import { describe, isObject, type JsonObject, parse } from "../json/Json.ts"

/** The pairs of CNI_ARGS. */
export type Arguments = ReadonlyArray<readonly [key: string, value: string]>

/** An attachment. */
export interface Attachment {
  readonly network: string
  readonly containerId: string
  readonly ifname: string
  /** An absolute path; empty where it is not known. */
  readonly netns: string
  readonly args: Arguments
  /** The values of capabilities, by their names. Source: CNI conventions, "Dynamic Plugin specific fields". */
  readonly capabilityArgs: JsonObject
}

/** The part of an attachment that tells it from all others. */
export type Identity = Pick<Attachment, "network" | "containerId" | "ifname">

/** An attachment has names that no runtime hands to plugins. */
export class InvalidAttachment extends Data.TaggedError("InvalidAttachment")<{
  readonly problems: ReadonlyArray<string>
}> {
  override readonly message = this.problems.join("\n")
}

const expectedIdentifier = "a letter or digit, then letters, digits, '_', '.' or '-'"

/** All that is wrong with the names of an attachment. Source: libcni, `pkg/utils`. */
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

/** The container ID that `cnitool` derives from a network namespace, so that either can go on where the other began. */
export const containerIdOf = (netns: string): string =>
  `cnitool-${Crypto.createHash("sha512").update(netns).digest("hex").slice(0, 20)}`

/** CNI_ARGS as its pairs: `KEY=VALUE;KEY=VALUE`. Throws where a pair is not one, as `cnitool` does. */
export const parseArguments = (args: string): Arguments =>
  args === "" ? [] : args.split(";").map((pair) => {
    const [key = "", value = "", ...more] = pair.split("=")
    if (key === "" || value === "" || more.length > 0) {
      throw new Error(`found the pair ${JSON.stringify(pair)}, expected KEY=VALUE`)
    }
    return [key, value]
  })

/** The pairs as the text of CNI_ARGS. */
export const formatArguments = (args: Arguments): string => args.map((pair) => pair.join("=")).join(";")

/** The arguments of capabilities out of their JSON text. `null` is none of them. Throws where it is not an object. */
export const parseCapabilityArguments = (json: string): JsonObject => {
  const value = json.trim() === "null" ? {} : parse(json)
  if (value === undefined) throw new Error(`found ${describe(json)}, expected JSON`)
  if (!isObject(value)) throw new Error(`found ${describe(value)}, expected an object such as {"portMappings":[…]}`)
  return value
}
