/** How text is shown on this terminal: colour, width, and the zone of its times. */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** Where text goes. */
export interface Screen {
  readonly isTerminal: boolean
  /** Columns that a line may have; infinite if it is not a terminal. */
  readonly width: number
  /** How many lines it shows at once; undefined if it is not a terminal, or if the number is unknown. */
  readonly height?: number | undefined
  /** How many minutes local time is east of UTC at a moment, which is in milliseconds since 1970. */
  readonly minutesEast: (time: number) => number
}

/** How text is shown. */
export interface Style extends Screen {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
}

/** A style for a screen. */
export const make = (screen: Screen, isColoured: boolean): Style => {
  const code = (number: number) => (text: string) =>
    isColoured && text !== "" ? `\u001b[${number}m${text}\u001b[0m` : text
  return { ...screen, bold: code(1), dim: code(2), red: code(31), green: code(32), yellow: code(33) }
}

/** The screen of stdout. */
export const CurrentScreen = Context.Reference<Screen>("cni-passthrough/CurrentScreen", {
  defaultValue: () => {
    const { columns, isTTY, rows } = process.stdout
    return {
      isTerminal: isTTY === true,
      width: isTTY === true ? columns || 80 : Number.POSITIVE_INFINITY,
      height: isTTY === true ? rows || undefined : undefined,
      minutesEast: (time) => -new Date(time).getTimezoneOffset()
    }
  }
})

/** The style of stdout. */
export const current = Effect.fnUntraced(function*() {
  const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
  return make(yield* CurrentScreen, canColor)
})
