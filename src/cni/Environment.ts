/** The environment variables that a runtime sets, and their validation. */
import { isVerb, verbs } from "./Verb.ts"

/**
 * Passes the `invocation` of a run on to the plugins that the plugin starts, because delegates inherit its environment.
 */
export const parentVariable = "CNI_PASSTHROUGH_PARENT"

/** Holds the trace and the span that a run belongs to. */
export const traceVariable = "TRACEPARENT"

/**
 * The parameters of a request. A parameter that the runtime left out is empty: the protocol makes no difference.
 * Source: CNI specification, section 2, "Parameters".
 */
export interface Environment {
  readonly command: string
  readonly containerId: string
  readonly netns: string
  readonly ifname: string
  readonly args: string
  readonly path: string
  /** If it is `1` or `true`, ADD and DEL may work on the plugin's own network namespace. */
  readonly netnsOverride: string
  /** The W3C trace context, which newer runtimes pass on. */
  readonly traceparent: string
  readonly tracestate: string
  /** The W3C baggage: values that travel with a trace. */
  readonly baggage: string
  /** The `invocation` of the enclosing run, if a wrapped plugin started this one. */
  readonly parent: string
  /** All environment variables, for substitution in paths. */
  readonly variables: { readonly [name: string]: string | undefined }
}

/** Extracts the parameters from environment variables. */
export const make = (variables: Environment["variables"]): Environment => {
  const get = (name: string) => (Object.hasOwn(variables, name) ? variables[name] ?? "" : "")
  return {
    command: get("CNI_COMMAND"),
    containerId: get("CNI_CONTAINERID"),
    netns: get("CNI_NETNS"),
    ifname: get("CNI_IFNAME"),
    args: get("CNI_ARGS"),
    path: get("CNI_PATH"),
    netnsOverride: get("CNI_NETNS_OVERRIDE"),
    traceparent: get(traceVariable),
    tracestate: get("TRACESTATE"),
    baggage: get("BAGGAGE"),
    parent: get(parentVariable),
    variables
  }
}

/** The PATH for commands. Some runtimes start plugins without one. */
export const searchPath = ({ variables }: Pick<Environment, "variables">): string =>
  variables["PATH"] || "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/** The format of container IDs and network names. Source: libcni, `pkg/utils`. */
export const identifier = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

/** Returns why a text cannot be an interface name, or undefined if it can. Source: libcni, `pkg/utils`. */
export const interfaceNameProblem = (name: string): string | undefined => {
  if (Buffer.byteLength(name) > 15) return "is longer than 15 bytes"
  if (name === "." || name === "..") return "is the name of a folder"
  const forbidden = /[/:\s]/.exec(name)
  return forbidden === null ? undefined : `contains ${JSON.stringify(forbidden[0])}`
}

/**
 * Returns the problems of the variables. Variables that the operation does not require are not checked, because podman
 * sends `dummy` with VERSION.
 */
export const problems = (environment: Environment): ReadonlyArray<string> => {
  const { command } = environment
  if (!isVerb(command)) {
    return [`CNI_COMMAND is ${JSON.stringify(command)}, expected one of ${Object.keys(verbs).join(", ")}`]
  }
  const values = {
    CNI_CONTAINERID: environment.containerId,
    CNI_NETNS: environment.netns,
    CNI_IFNAME: environment.ifname,
    CNI_PATH: environment.path
  }
  const required = verbs[command].variables
  const missing = required.filter((name) => values[name] === "")
  const found: Array<string> = []
  if (missing.length > 0) found.push(`required env variables [${missing.join(",")}] missing for ${command}`)
  if (
    required.includes("CNI_CONTAINERID") && values.CNI_CONTAINERID !== "" && !identifier.test(values.CNI_CONTAINERID)
  ) {
    found.push(
      `CNI_CONTAINERID is ${JSON.stringify(values.CNI_CONTAINERID)}, expected a letter or digit, ` +
        "then letters, digits, '_', '.' or '-'"
    )
  }
  const problem = required.includes("CNI_IFNAME") ? interfaceNameProblem(values.CNI_IFNAME) : undefined
  if (problem !== undefined) found.push(`CNI_IFNAME is ${JSON.stringify(values.CNI_IFNAME)}, which ${problem}`)
  return found
}

/** Returns the value of a key in CNI_ARGS. Source: CNI specification, section 2: `FOO=BAR;ABC=123`. */
export const argument = (environment: Environment, key: string): string | undefined => {
  for (const pair of environment.args.split(";")) {
    if (pair.startsWith(`${key}=`)) return pair.slice(key.length + 1)
  }
  return undefined
}
