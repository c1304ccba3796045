/** The screen that stdout is, and the colours of it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Style from "../../../src/render/terminal/Style.ts"

/** The screen where stdout has these properties. */
const screen = (stdout: object): Style.Screen => {
  const properties = ["isTTY", "columns", "rows"]
  const before = properties.map((name) => [name, Object.getOwnPropertyDescriptor(process.stdout, name)] as const)
  for (const name of properties) {
    const value: unknown = Reflect.get(stdout, name)
    Object.defineProperty(process.stdout, name, { value, configurable: true, writable: true })
  }
  try {
    return Style.CurrentScreen.defaultValue()
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(process.stdout, name)
      else Object.defineProperty(process.stdout, name, descriptor)
    }
  }
}

describe("the screen", () => {
  it("has the size of the terminal", () => {
    const { height, isTerminal, width } = screen({ isTTY: true, columns: 132, rows: 50 })
    assert.deepStrictEqual({ height, isTerminal, width }, { height: 50, isTerminal: true, width: 132 })
  })

  it("has 80 columns and no height where a terminal does not say", () => {
    const { height, isTerminal, width } = screen({ isTTY: true, columns: 0, rows: 0 })
    assert.deepStrictEqual({ height, isTerminal, width }, { height: undefined, isTerminal: true, width: 80 })
  })

  it("has lines of any length where it is not a terminal, whatever the variables of a terminal say", () => {
    const { height, isTerminal, width } = screen({ columns: 132, rows: 50 })
    assert.deepStrictEqual({ height, isTerminal, width }, { height: undefined, isTerminal: false, width: Infinity })
  })

  it("has the local zone: minutes to the east are positive", () => {
    const time = Date.UTC(2026, 6, 1)
    const east = -new Date(time).getTimezoneOffset()
    assert.strictEqual(screen({}).minutesEast(time), east === 0 ? -0 : east)
  })
})

describe("the style", () => {
  const plain: Style.Screen = { isTerminal: true, width: 80, minutesEast: () => 0 }

  it("has the codes of each colour, and none around nothing", () => {
    const { bold, dim, green, red, yellow } = Style.make(plain, true)
    const painted = [bold, dim, red, green, yellow].map((paint) => paint("x"))
    assert.deepStrictEqual(painted, [1, 2, 31, 32, 33].map((code) => `\u001b[${code}m\u0078\u001b[0m`))
    assert.strictEqual(red(""), "")
  })

  it("leaves text as it is without colours", () => {
    const { bold, red } = Style.make(plain, false)
    assert.deepStrictEqual([bold("x"), red("x")], ["x", "x"])
  })

  it.effect("is that of the current screen", () =>
    Effect.gen(function*() {
      const { width } = yield* Style.current().pipe(Effect.provideService(Style.CurrentScreen, { ...plain, width: 33 }))
      assert.strictEqual(width, 33)
    }))
})
