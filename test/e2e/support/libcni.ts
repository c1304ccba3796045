/** A runtime of our own on libcni. */
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"
import type { Sandbox } from "./sandbox.ts"

/** Builds `libcni-run` and puts it on the PATH of the sandbox. */
export const buildLibcniRun = (sandbox: Sandbox): void => {
  ChildProcess.execFileSync("go", ["build", "-o", Path.join(sandbox.tmp, "bin/libcni-run"), "."], {
    cwd: Path.join(import.meta.dirname, "../libcni"),
    env: {
      ...process.env,
      GO111MODULE: "off",
      GOPATH: "/usr/share/gocode",
      GOCACHE: Path.join(sandbox.tmp, "gocache")
    }
  })
}
