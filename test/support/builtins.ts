/** Functions of the file system that fail, or do more, while a test runs: what no file system does on demand. */
import Fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"

/** Replaces a function until it is disposed of. The replacement gets the original one. */
export const replaced = <Name extends "openSync" | "mkdirSync" | "readFileSync" | "statSync">(
  name: Name,
  replacement: (original: (typeof Fs)[Name]) => (...args: ReadonlyArray<never>) => unknown
): { readonly [Symbol.dispose]: () => void } => {
  const original = Fs[name]
  const put = (value: unknown) => {
    Object.assign(Fs, { [name]: value })
    syncBuiltinESMExports()
  }
  put(replacement(original))
  return { [Symbol.dispose]: () => put(original) }
}

/** Gives files of the kernel these texts; undefined for one that cannot be read. */
export const contents = (
  files: { readonly [path: string]: string | Uint8Array | undefined }
): { readonly [Symbol.dispose]: () => void } =>
  replaced("readFileSync", (original) => (...args: ReadonlyArray<never>) => {
    const path = String(args[0])
    if (!Object.hasOwn(files, path)) return Reflect.apply(original, Fs, args)
    if (files[path] === undefined) throw Object.assign(new Error("ENOENT"), { code: "ENOENT" })
    return files[path]
  })

/** Lets the opening of one path fail with a code of the operating system. */
export const unopenable = (path: RegExp, code: string): { readonly [Symbol.dispose]: () => void } =>
  replaced("openSync", (original) => (...args: ReadonlyArray<never>) => {
    if (path.test(String(args[0]))) throw Object.assign(new Error(code), { code })
    return Reflect.apply(original, Fs, args)
  })
