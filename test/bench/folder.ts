/** The folder for all that a run of the benchmark makes. It is gone when the run is. */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

export const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "passthrough-bench-"))
process.on("exit", () => Fs.rmSync(folder, { recursive: true }))
