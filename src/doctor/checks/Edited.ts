/** Whether a network was edited after containers were attached to it. */
import type { Check } from "../Check.ts"
import * as ConfigFile from "../ConfigFile.ts"
import * as Names from "../Names.ts"

/** The most attachments, and the most differences, to name. */
const shown = 20

export const editedSince: Check = {
  id: "edited-since",
  phase: "configuration",
  find: ({ earlier, file }) => {
    if (file === undefined || earlier.length === 0) return []
    const attachments = earlier.flatMap((each) => each.attachments)
    const [first] = attachments
    const changes = new Set(attachments.flatMap(({ config = "" }) => ConfigFile.changesSince(file, config)))
    return [{
      level: "note",
      message: attachments.length === 1 && first !== undefined
        ? `${Names.attachment(first)} was attached before the network was edited: the edit applies to new containers`
        : `${attachments.length} containers were attached before the network was edited: the edit applies to new ones`,
      evidence: [...[...changes].slice(0, shown), ...attachments.slice(0, shown).map(Names.attachment)],
      fix: "none is needed; a container that is restarted gets the new configuration",
      file: file.path
    }]
  }
}
