/** How to start this executable again. */

/** A program and its first arguments. */
export type OwnCommand = readonly [program: string, ...args: ReadonlyArray<string>]

/** The name by which documentation and fixes call this executable. */
export const name = "cni-passthrough"

/**
 * The command line that starts this executable with these arguments. The standalone executable may have the name of the
 * plugin, so its first argument says that it is the command, see `.ci/pack/executables.mjs`.
 */
export const withArguments = (...args: ReadonlyArray<string>): OwnCommand => {
  const script = process.argv[1]
  return process.versions["bun"] === undefined && script !== undefined
    ? [process.execPath, script, ...args]
    : [process.execPath, name, ...args]
}
