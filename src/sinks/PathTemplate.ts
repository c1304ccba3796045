/** Paths with names of variables in them. */
import { argument, type Environment } from "../cni/Environment.ts"

const names = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g

/** A value of the request as a part of a file name: it can name neither a folder nor another line. */
const asFileName = (value: string): string => {
  const name = value.replace(/[/\0-\u001f\u007f-\u009f]/g, "_")
  return name === "." || name === ".." ? "_" : name
}

/**
 * Puts values in place of `${NAME}` and `$NAME`: a variable of the environment, else a key of CNI_ARGS, else nothing.
 * No other expansion takes place. What comes with the request cannot leave the folder that the path was written for.
 */
export const expand = (template: string, environment: Environment): string =>
  template.replace(names, (_, braced: string | undefined, bare: string | undefined) => {
    const name = braced ?? bare ?? ""
    const variable = Object.hasOwn(environment.variables, name) ? environment.variables[name] : undefined
    if (variable !== undefined) return name.startsWith("CNI_") ? asFileName(variable) : variable
    return asFileName(argument(environment, name) ?? "")
  })
