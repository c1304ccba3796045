/**
 * Makes Bun for musl start on a host that has nothing but musl. As it is published it needs a libstdc++.so.6, which
 * Alpine does not bring. It uses 40 functions of it, so these are linked out of the compiler's own static libstdc++ into
 * a library of 130 KB that lies beside the executable.
 */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"

/** The file name of the library. It begins with a dot as no runtime and no `wrap` is to take it for a plugin. */
export const library = ".libstdc++.so"

/** Compilers by processor, and the Debian packages that have them. */
const compilers = {
  x64: { prefix: "x86_64-linux-gnu-", debian: "g++-x86-64-linux-gnu" },
  arm64: { prefix: "aarch64-linux-gnu-", debian: "g++-aarch64-linux-gnu" }
}

/** The programs that this needs for a processor, each with its Debian package. */
export const programs = (processor) => {
  const { debian, prefix } = compilers[processor]
  return { patchelf: "patchelf", [`${prefix}g++`]: debian, [`${prefix}gcc`]: debian }
}

/** What glibc has, and libstdc++ and libgcc of Debian use, and musl has not. */
const glue = `
unsigned long getauxval(unsigned long type);
unsigned long __getauxval(unsigned long type) { return getauxval(type); }
char __libc_single_threaded = 0; /* may be said of any process: reference counts are atomic then */
int _dl_find_object(void *address, void *result) { return -1; } /* no exception is caught: Bun is built without them */
`

const run = (program, args, debian) => {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })
  } catch (error) {
    if (error.code !== "ENOENT") throw error
    const message = `found no ${program}, which executables for musl need: install the Debian package ${debian}`
    throw new Error(message, { cause: error })
  }
}

/** The version of the compiler whose libstdc++ is linked. */
export const compilerVersion = (processor) => {
  const { debian, prefix } = compilers[processor]
  return run(`${prefix}gcc`, ["-dumpfullversion"], debian).trim()
}

/** What Bun takes from libstdc++: the C++ symbols that it does not define itself, and those that are copied into it. */
const symbolsOf = (bun, nm, debian) =>
  run(nm, ["-D", bun], debian).split("\n").flatMap((line) =>
    /\bU (_Z\w+|__cxa_(?!atexit|finalize)\w+|__once_proxy|__dynamic_cast)/.exec(line)?.[1] ??
      / (_ZTVN10__cxxabiv1\w+)/.exec(line)?.[1] ?? []
  )

/** Links these symbols, and all that they need, into a library. */
const link = (symbols, processor, folder) => {
  const { debian, prefix } = compilers[processor]
  const place = (name) => run(`${prefix}g++`, [`-print-file-name=${name}`], debian).trim()
  const file = (name) => Path.join(folder, name)
  Fs.writeFileSync(file("glue.c"), glue)
  Fs.writeFileSync(file("exports"), `{ global: ${symbols.join("; ")}; local: *; };\n`)
  run(`${prefix}gcc`, ["-O2", "-fPIC", "-c", file("glue.c"), "-o", file("glue.o")], debian)
  const options = "-shared --gc-sections --eh-frame-hdr --strip-all --hash-style=both --build-id=none -z now".split(" ")
  const wanted = symbols.flatMap((symbol) => ["-u", symbol])
  const inputs = ["libstdc++.a", "libgcc_eh.a", "libgcc.a", "crtendS.o"].map(place)
  run(
    `${prefix}ld`,
    options.concat("-soname", library, "--version-script", file("exports"), "-o", file(library), wanted)
      .concat(place("crtbeginS.o"), file("glue.o"), inputs),
    debian
  )
}

/** Names what this file does: what it made before it was changed is not taken. */
const own = createHash("sha256").update(Fs.readFileSync(new URL(import.meta.url))).digest("hex").slice(0, 12)

/** A Bun for musl that takes its library from the folder that it lies in, and that library beside it. */
export const prepare = (bun, target, cache) => {
  const ready = Path.join(cache, `ready-${own}`)
  if (!Fs.existsSync(ready)) {
    const [processor] = target.split("-")
    const folder = Fs.mkdtempSync(`${cache}/prepare-`)
    const { debian, prefix } = compilers[processor]
    link(symbolsOf(bun, `${prefix}nm`, debian), processor, folder)
    const patched = Path.join(folder, "bun")
    Fs.copyFileSync(bun, patched)
    // In one run patchelf 0.14 mixes the two up.
    run("patchelf", ["--replace-needed", "libstdc++.so.6", library, patched], "patchelf")
    run("patchelf", ["--set-rpath", "$ORIGIN", patched], "patchelf")
    Fs.renameSync(folder, ready)
  }
  return Path.join(ready, "bun")
}
