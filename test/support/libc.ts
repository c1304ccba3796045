/** A C library whose functions do what a test says. */
import { vi } from "@effect/vitest"
import { isDeepStrictEqual } from "node:util"

/** A function of the C library, and the signature that it has to be called by. */
interface Function {
  readonly args: ReadonlyArray<string>
  readonly returns: string
  readonly call: (...args: ReadonlyArray<never>) => number
}

/** Lets this process call these functions as those of the C library, as if Bun ran it. */
export const withLibc = (functions: { readonly [name: string]: Function }) => {
  const dlopen = (_library: string, signatures: object) => {
    const own = Object.entries(functions).map(([name, { args, returns }]) => [name, { args, returns }])
    if (!isDeepStrictEqual(signatures, Object.fromEntries(own))) throw new Error("other functions were asked for")
    return { symbols: Object.fromEntries(Object.entries(functions).map(([name, { call }]) => [name, call])) }
  }
  const builtin = vi.spyOn(process, "getBuiltinModule").mockImplementation((() => ({ dlopen })) as never)
  Object.defineProperty(process.versions, "bun", { value: "1.0.0", configurable: true })
  return {
    [Symbol.dispose]() {
      Reflect.deleteProperty(process.versions, "bun")
      builtin.mockRestore()
    }
  }
}
