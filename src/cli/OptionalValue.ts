/** Flags whose value may be left out, which the parser of command lines does not know. */

/** What `wrap --changes` stands for. */
const short: { readonly [flag: string]: string } = { "--changes": "--changes=all" }

/** Fills in the values that were left out. What follows a flag without `=` is an argument, and not its value. */
export const fill = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (args[0] !== "wrap") return args
  const end = args.includes("--") ? args.indexOf("--") : args.length
  return args.map((arg, index) => index < end ? short[arg] ?? arg : arg)
}
