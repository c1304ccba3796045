/** Keeps memory small in a run that reads much and keeps little. */
import * as V8 from "node:v8"
import * as Vm from "node:vm"

/**
 * Keeps the part of the heap for new objects at its initial size. By default it grows to 128 MiB, twice the size of all
 * records of a large log, and saves no time. Node.js has no other way to set this after it has started.
 */
export const keep = (): void => V8.setFlagsFromString("--semi-space-growth-factor=1")

/**
 * Returns a function that frees what nothing uses any more. Left alone, the engine lets the heap grow to twice what is
 * used, since that saves time.
 */
export const collector = (): () => void => {
  V8.setFlagsFromString("--expose-gc")
  const collect: unknown = Vm.runInNewContext("globalThis.gc")
  return typeof collect === "function" ? () => void collect() : () => {}
}
