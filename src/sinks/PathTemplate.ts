/** Substitutes variables in paths. */
import { argument, type Environment } from "../cni/Environment.ts"

const names = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g

/** Converts a value of the request to a part of a file name. It cannot leave its folder or break a line. */
const asFileName = (value: string): string => {
  const name = value.replace(/[/\0-\u001f\u007f-\u009f]/g, "_")
  return name === "." || name === ".." ? "_" : name
}

/**
 * Replaces `${NAME}` and `$NAME` with the variable of the environment or, if there is none, with the value of that key
 * in CNI_ARGS, or with nothing. No other expansion takes place. Values from the request cannot leave the folder that
 * the template names.
 */
export const expand = (template: string, environment: Environment): string =>
  template.replace(names, (_, braced: string | undefined, bare: string | undefined) => {
    const name = braced ?? bare ?? ""
    const variable = Object.hasOwn(environment.variables, name) ? environment.variables[name] : undefined
    if (variable !== undefined) return name.startsWith("CNI_") ? asFileName(variable) : variable
    return asFileName(argument(environment, name) ?? "")
  })
