/**
 * Keeps an executable from raising its limit of open files. Bun raises it at start-up, before our first line, so we
 * could not restore the original limit for a plugin.
 */
import * as Fs from "node:fs"

/**
 * The executable imports setrlimit(2) by name, and uses it for nothing else. Renaming the import to getrlimit(2), which
 * takes the same arguments, makes the call read the limits instead of setting them.
 */
const [setter, getter] = ["\0setrlimit\0", "\0getrlimit\0"]

/** How much of the file to search, in bytes: the names of imports are near its start, before any code. */
const end = 4 * 1_048_576

/** Patches the executable `file`. Throws if it is not the expected version of Bun. */
export const keep = (file) => {
  const fd = Fs.openSync(file, "r+")
  try {
    const start = Buffer.alloc(end)
    Fs.readSync(fd, start, 0, end, 0)
    const place = start.indexOf(setter)
    if (place < 0 || start.indexOf(setter, place + 1) >= 0) {
      throw new Error(`found no single import of setrlimit in ${file}, expected one, as in Bun 1.4.5`)
    }
    Fs.writeSync(fd, getter, place)
  } finally {
    Fs.closeSync(fd)
  }
}
