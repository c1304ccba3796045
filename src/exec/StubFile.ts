/** Recognizes the stubs that replace wrapped plugins. */
import * as Fs from "node:fs"
import * as WrapFolder from "./WrapFolder.ts"

/** The longest first line that a script can have, in bytes. Source: Linux, `BINPRM_BUF_SIZE`. */
const longestLine = 256

/** Reads the first bytes of a file as Latin-1. Returns undefined if the file cannot be read. */
export const startOf = (file: string): string | undefined => {
  try {
    const fd = Fs.openSync(file, Fs.constants.O_RDONLY | Fs.constants.O_NONBLOCK)
    try {
      const bytes = Buffer.alloc(longestLine)
      return bytes.toString("latin1", 0, Fs.readSync(fd, bytes))
    } finally {
      Fs.closeSync(fd)
    }
  } catch {
    return undefined
  }
}

/** Whether a file is a script whose interpreter is our executable. */
export const isStub = (file: string): boolean => {
  const [line = ""] = (startOf(file) ?? "").split("\n")
  return line.startsWith("#!") && line.endsWith(`/${WrapFolder.ownFolder}/${WrapFolder.executable}`)
}
