/** Files of libcni's cache that cannot be read. */
import type { Check } from "../Check.ts"
import * as Shell from "../Shell.ts"

export const cacheEntries: Check = {
  id: "cache-entries",
  phase: "attachment",
  find: ({ damaged }) =>
    damaged.map(({ file, reason }) => ({
      level: "error",
      message: `runtimes cannot read ${file}: ${reason}, so each DEL of this attachment fails`,
      evidence: [],
      fix: `rm ${Shell.word(file)}`
    }))
}
