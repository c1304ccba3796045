/** The variables that a runtime sets, as received, and what is wrong with them. */
import { isVerb, verbs } from "./Verb.ts"

/** Carries the `invocation` of a run to the plugins inside it, as plugins hand their environment to delegates. */
export const parentVariable = "CNI_PASSTHROUGH_PARENT"

/**
 * The parameters of a request. Empty where the runtime left one out: for the protocol that is the same.
 * Source: CNI specification, section 2, "Parameters".
 */
export interface Environment {
  readonly command: string
  readonly containerId: string
  readonly netns: string
  readonly ifname: string
  readonly args: string
  readonly path: string
  /** Lets ADD and DEL work on the plugin's own network namespace, where it is `1` or `true`. */
  readonly netnsOverride: string
  /** The W3C trace context that newer runtimes hand on. */
  readonly traceparent: string
  /** The `invocation` of the run around this one, where a plugin that we stand around started us. */
  readonly parent: string
  /** Every variable of the process, for names in paths. */
  readonly variables: { readonly [name: string]: string | undefined }
}

/** Reads the parameters out of the variables of a process. */
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
    traceparent: get("TRACEPARENT"),
    parent: get(parentVariable),
    variables
  }
}

/** Where commands are looked for. Runtimes start plugins without a PATH at times. */
export const searchPath = ({ variables }: Pick<Environment, "variables">): string =>
  variables["PATH"] || "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/** What container IDs and network names look like. */
export const identifier = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

/** What keeps a text from being the name of an interface, undefined if nothing does. Source: libcni, `pkg/utils`. */
export const interfaceNameProblem = (name: string): string | undefined => {
  if (Buffer.byteLength(name) > 15) return "longer than 15 bytes"
  if (name === "." || name === "..") return "a name of a folder"
  const forbidden = /[/:\s]/.exec(name)
  return forbidden === null ? undefined : `has ${JSON.stringify(forbidden[0])} in it`
}

/**
 * Everything that is wrong with the variables, or nothing. What a verb does not require is not looked at:
 * podman sends `dummy` with VERSION.
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
  if (problem !== undefined) found.push(`CNI_IFNAME is ${JSON.stringify(values.CNI_IFNAME)}, which is ${problem}`)
  return found
}

/** The keys and values of CNI_ARGS. Source: CNI specification, section 2: `FOO=BAR;ABC=123`. */
export const argument = (environment: Environment, key: string): string | undefined => {
  for (const pair of environment.args.split(";")) {
    if (pair.startsWith(`${key}=`)) return pair.slice(key.length + 1)
  }
  return undefined
}
