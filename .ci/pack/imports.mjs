/**
 * Keeps an executable from changing what a plugin inherits. At start-up, before our first line, Bun raises the limit of
 * open files and enters a working directory, and we could not go back: the original limit is lost, and so is the
 * original directory if it was deleted or may not be entered.
 */
import * as Fs from "node:fs"

/**
 * The functions that the executable imports by name for this, each with one that takes the same arguments, returns the
 * same and changes nothing: getrlimit(2) reads the limits, and atoi(3) of a path is 0, which means success.
 *
 * Without chdir(2) a program that Bun starts inherits our working directory, whatever `cwd` says.
 */
const replacements = { setrlimit: "getrlimit", chdir: "atoi" }

/** How much of the file to search, in bytes: the names of imports are near its start, before any code. */
const end = 4 * 1_048_576

/** Patches the executable `file`. Throws if it is not the expected version of Bun. */
export const replace = (file) => {
  const fd = Fs.openSync(file, "r+")
  try {
    const start = Buffer.alloc(end)
    Fs.readSync(fd, start, 0, end, 0)
    for (const [name, other] of Object.entries(replacements)) {
      const place = start.indexOf(`\0${name}\0`)
      if (place < 0 || start.indexOf(`\0${name}\0`, place + 1) >= 0) {
        throw new Error(`found no single import of ${name} in ${file}, expected one, as in Bun 1.4.5`)
      }
      Fs.writeSync(fd, `\0${other}`.padEnd(name.length + 2, "\0"), place)
    }
  } finally {
    Fs.closeSync(fd)
  }
}
