/** Programs for tests: shell scripts in a folder. */
import * as Fs from "node:fs"

/** Writes a shell script that can be executed, and returns its path. */
export const script = (path: string, text: string): string => {
  Fs.writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  return path
}

/** A plugin that speaks these versions, and introduces itself where nobody gives it a verb. */
export const plugin = (path: string, versions: ReadonlyArray<string>, about = "CNI plugin passthrough v1"): string =>
  script(
    path,
    `if [ -z "$CNI_COMMAND" ]; then echo "${about}" >&2; exit; fi
[ "$CNI_COMMAND" = VERSION ] && echo '${JSON.stringify({ cniVersion: "1.0.0", supportedVersions: versions })}'`
  )
