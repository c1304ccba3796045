/** Colour, where there is a terminal that wants it. */
import * as Context from "effect/Context"

const paint = (colour: boolean) => (code: string) => (text: string) =>
  colour && text !== "" ? `\u001b[${code}m${text}\u001b[0m` : text

/** How text is shown. */
export interface Style {
  readonly isTerminal: boolean
  /** Columns that a line may have. */
  readonly width: number
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
}

/** A style for a terminal of so many columns, or for a file. */
export const make = (
  options: { readonly isTerminal: boolean; readonly colour: boolean; readonly width: number }
): Style => {
  const code = paint(options.colour)
  return {
    isTerminal: options.isTerminal,
    width: options.width,
    bold: code("1"),
    dim: code("2"),
    red: code("31"),
    green: code("32"),
    yellow: code("33")
  }
}

/** The style of stdout. NO_COLOR (https://no-color.org) turns colour off. */
export const CurrentStyle = Context.Reference<Style>("cni-passthrough/cli/CurrentStyle", {
  defaultValue: () => {
    const { columns, isTTY } = process.stdout
    return make({
      isTerminal: isTTY === true,
      colour: isTTY === true && (process.env["NO_COLOR"] ?? "") === "",
      width: isTTY === true ? columns ?? 80 : Number.POSITIVE_INFINITY
    })
  }
})
