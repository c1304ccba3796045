/**
 * Keeps an executable from raising its limit of open files. Bun does that when it starts, before our first line, so
 * nothing would know any more which limit a plugin has to get.
 */
import * as Fs from "node:fs"

/**
 * The executable imports setrlimit(2) by its name, and uses it for nothing else. By the name of getrlimit(2), which takes
 * the same arguments, the call reads the limits in place of setting them.
 */
const [setter, getter] = ["\0setrlimit\0", "\0getrlimit\0"]

/** Where the names of imports end: they are near the start of the file, and none of them is code. */
const end = 4 * 1_048_576

/** Changes the executable `file`. Throws where it is not the one that this was written for. */
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
