/** Files of libcni's cache that cannot be read. */
import type { Check } from "../Check.ts"
import * as Fix from "../Fix.ts"

export const cacheEntries: Check = {
  id: "cache-entries",
  phase: "attachment",
  find: ({ damaged }) =>
    damaged.map(({ file, reason }) => ({
      level: "error",
      message: `runtimes cannot read ${file}: ${reason}, so each DEL of this attachment fails`,
      evidence: [],
      fix: Fix.run("remove the file; the container of this attachment has to be restarted", Fix.command("rm", file))
    }))
}
