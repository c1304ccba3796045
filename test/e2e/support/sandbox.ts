/**
 * A corner of the host where a real runtime can do what it wants: mount, network and process namespaces of its own,
 * its own /tmp and folders of CNI. Whatever it starts ends with it, and whatever it makes is gone with it.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { unconfigured } from "../../support/netns.ts"
import { command, isStandalone, plugin, repository } from "../../support/plugin.ts"

/** Folders of the host that are covered, with what covers them. */
const covers = {
  "/etc/cni": "etc-cni",
  "/opt/cni": "opt-cni",
  "/var/lib/cni": "var-lib-cni",
  "/var/lib/cni-passthrough": "var-lib-cni-passthrough"
} as const

/** Covers a folder. One that the host does not have is made in a layer over the host's, and never on the host. */
const cover = `
cover() {
  if [ ! -d $1 ]; then
    local parent=$(dirname $1) layer=/tmp/layer$(dirname $1)
    mkdir -p $layer
    mount -t tmpfs tmpfs $layer
    mkdir $layer/upper $layer/work
    mount -t overlay overlay -o lowerdir=$parent,upperdir=$layer/upper,workdir=$layer/work $parent
    mkdir -p $1
  fi
  mount --bind $2 $1
}`

export interface Sandbox {
  /** Where the sandbox's /tmp is seen from outside. */
  readonly tmp: string
  /**
   * Runs a script in new namespaces, and returns its stdout. Its /tmp is the one of the scripts before it. It is ended after
   * so many milliseconds, because vitest cannot do that.
   */
  readonly run: (script: string, timeout?: number) => string
  /**
   * The same among the processes of the host, whose IDs the kernel reports. The script has to end what it starts.
   */
  readonly runBeside: (script: string) => string
  readonly [Symbol.dispose]: () => void
}

/** In the sandbox, /opt/cni/bin has the plugin, /tmp/conf our configurations, and PATH a Node.js for the script. */
export const make = (): Sandbox => {
  const root = Fs.mkdtempSync(Path.join(Os.tmpdir(), "passthrough-e2e-"))
  const tmp = Path.join(root, "tmp")
  for (const folder of ["bin", "opt-cni/bin", "etc-cni/net.d", "var-lib-cni", "var-lib-cni-passthrough"]) {
    Fs.mkdirSync(Path.join(tmp, folder), { recursive: true })
  }
  Fs.copyFileSync(plugin, Path.join(tmp, "opt-cni/bin/passthrough"))
  if (!isStandalone) Fs.copyFileSync(process.execPath, Path.join(tmp, "bin/node"))
  Fs.cpSync(Path.join(repository, "conf"), Path.join(tmp, "conf"), { recursive: true })
  const mounts = [
    `mount --bind ${tmp} /tmp`,
    cover,
    ...Object.entries(covers).map(([folder, name]) => `cover ${folder} /tmp/${name}`),
    "mount -t tmpfs tmpfs /run", // names of namespaces, and the sockets and locks of runtimes
    unconfigured,
    "ip link set lo up",
    // The standalone plugin has to do without any Node.js of the host.
    ...(isStandalone
      ? [
        "for node in $(type -ap node); do mount --bind /dev/null $node; done",
        "if node -e 0 2>/dev/null; then echo 'there still is a node' >&2; exit 1; fi"
      ]
      : [])
  ]
  const runIn = (namespaces: ReadonlyArray<string>) => (script: string, timeout = 1_500_000) => {
    const { error, status, stderr, stdout } = ChildProcess.spawnSync(
      "unshare",
      ["--mount", "--net", ...namespaces, "bash", "-euo", "pipefail", "-c", [...mounts, script].join("\n")],
      {
        encoding: "utf8",
        timeout,
        killSignal: "SIGKILL",
        cwd: "/",
        env: { PATH: "/tmp/bin:/usr/sbin:/usr/bin:/sbin:/bin", CNI_PATH: "/opt/cni/bin:/usr/lib/cni" }
      }
    )
    if (error !== undefined) throw error
    if (status !== 0) throw new Error(`exit status ${status} of a script in the sandbox\n${stdout}\n${stderr}`)
    return stdout
  }
  return {
    tmp,
    run: runIn(["--pid", "--fork", "--kill-child", "--mount-proc"]),
    runBeside: runIn([]),
    [Symbol.dispose]: () => {
      Fs.rmSync(root, { recursive: true, force: true })
    }
  }
}

/** A sandbox with `cni-passthrough` on its PATH. */
export const makeWithCommand = (): Sandbox => {
  const sandbox = make()
  Fs.copyFileSync(command, Path.join(sandbox.tmp, "bin/cni-passthrough"))
  return sandbox
}
