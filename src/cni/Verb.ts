/** The operations that a runtime can request. */

/** A CNI operation. Source: CNI specification, section 2, "CNI operations". */
export type Verb = "ADD" | "DEL" | "CHECK" | "GC" | "STATUS" | "VERSION"

/** The requirements of an operation. */
export interface Requirements {
  /** The environment variables that must not be empty. */
  readonly variables: ReadonlyArray<"CNI_CONTAINERID" | "CNI_NETNS" | "CNI_IFNAME" | "CNI_PATH">
  /** The first specification version that has this operation. */
  readonly since: string
  /**
   * Whether the operation must succeed even if the log or a hook fails. A runtime that cannot clean up keeps the
   * addresses and the rules of a container that no longer exists.
   */
  readonly bestEffort: boolean
}

/** The requirements of all operations. Source: CNI specification, section 2, "CNI operations". */
export const verbs: { readonly [verb in Verb]: Requirements } = {
  ADD: { variables: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"], since: "0.1.0", bestEffort: false },
  DEL: { variables: ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"], since: "0.1.0", bestEffort: true },
  CHECK: { variables: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"], since: "0.4.0", bestEffort: false },
  GC: { variables: ["CNI_PATH"], since: "1.1.0", bestEffort: true },
  STATUS: { variables: ["CNI_PATH"], since: "1.1.0", bestEffort: false },
  VERSION: { variables: [], since: "0.1.0", bestEffort: false }
}

/** Whether `command` is an operation of the specification. Case matters. */
export const isVerb = (command: string): command is Verb => Object.hasOwn(verbs, command)
