/** The policies of the administrator, from files beside this executable. */
import * as Fs from "node:fs"
import type { Policies } from "../Policy.ts"
import { policiesOf } from "../PolicyFiles.ts"

const realPath = (script: string): string => {
  try {
    return Fs.realpathSync.native(script)
  } catch {
    return script
  }
}

/**
 * Returns the path of this executable. Neither the request nor a stub or link that started it can influence the path.
 * Bun asks the kernel, which appends " (deleted)" if the file was replaced since. The folder is right even then.
 */
const executable = (): string => {
  const script = process.argv[1] ?? process.execPath
  return process.versions["bun"] === undefined
    ? realPath(script)
    : process.execPath
}

/** The policies of this host. */
export const policiesLive: Policies = policiesOf(executable)
