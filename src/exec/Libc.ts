/**
 * What the C library has and the runtimes do not: pipes, and files without a name. Bun can call it, in a tenth of the
 * time that a program takes which makes pipes for us; Node.js cannot.
 */

/** Functions of the C library. Each opens descriptors, or returns undefined where that is impossible. */
export interface Libc {
  readonly pipe: () => readonly [read: number, write: number] | undefined
  readonly anonymousFile: () => number | undefined
}

interface Functions {
  readonly pipe2: (descriptors: Int32Array, flags: number) => number
  readonly memfd_create: (name: Uint8Array, flags: number) => number
}

interface Ffi {
  readonly dlopen: (library: string, symbols: object) => { readonly symbols: unknown }
}

/** The C libraries by the names that programs are linked with: those of glibc and musl. */
const libraries = ["libc.so.6", `libc.musl-${process.arch === "x64" ? "x86_64" : "aarch64"}.so.1`]

/** Programs that we start do not get these descriptors. Sources: pipe2(2), memfd_create(2). */
const closeOnExec = { pipe: 0o2000000, file: 1 }

const signatures = {
  pipe2: { args: ["ptr", "i32"], returns: "i32" },
  memfd_create: { args: ["ptr", "u32"], returns: "i32" }
}

/** Functions by their signatures; undefined where they cannot be called. */
export const functions = <Of>(signatures: { readonly [name in keyof Of]: object }): Of | undefined => {
  const ffi = process.versions["bun"] === undefined ? undefined : process.getBuiltinModule("bun:ffi") as Ffi | undefined
  for (const library of ffi === undefined ? [] : libraries) {
    try {
      return ffi?.dlopen(library, signatures).symbols as Of
    } catch { /* it is the other one */ }
  }
  return undefined
}

/** The C library; undefined where it cannot be called. */
export const load = (): Libc | undefined => {
  const found = functions<Functions>(signatures)
  return found === undefined ? undefined : {
    pipe: () => {
      const ends = new Int32Array(2)
      return found.pipe2(ends, closeOnExec.pipe) === 0 ? [ends[0] ?? -1, ends[1] ?? -1] : undefined
    },
    anonymousFile: () => {
      const fd = found.memfd_create(Buffer.from("stdin\0"), closeOnExec.file)
      return fd < 0 ? undefined : fd
    }
  }
}
