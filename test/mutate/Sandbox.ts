/**
 * Where mutants run. They run as root and remove files and end processes, so all that they can reach is a copy: other
 * processes, networks and mounts are not there, and the file system is read-only but for layers that end with the sandbox.
 */
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import type { Answer, Run, Start } from "./Runner.ts"

const script = `
set -e
ip link set lo up
mount -t tmpfs -o size=2g tmpfs /mnt
mkdir /mnt/project
tar --create --exclude=./node_modules --exclude=./.git --exclude=./dist . | tar --extract --directory /mnt/project
layer() { # shows the folder $1 at $2, and keeps what is written there in memory
  mkdir -p "/mnt/layers$2/upper" "/mnt/layers$2/work" "$2"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/layers$2/upper,workdir=/mnt/layers$2/work" "$2"
}
layer "$PWD/node_modules" /mnt/project/node_modules
[ ! -e dist ] || layer "$PWD/dist" /mnt/project/dist
for folder in /etc /opt /root /var; do layer "$folder" "$folder"; done
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -o remount,bind,ro /
cd /mnt/project
# Not with exec: the shell stays the first process of the namespace, and collects those whose parents are gone.
"$NODE" test/mutate/Runner.ts || exit $?
`

/** How long processes may take to start on a busy machine, in milliseconds. */
const start = 600_000

/** The answer of a run that ended the process of its tests. */
const ended: Answer = { failure: "its process ended", failed: [], cases: [], reached: [], isLate: false }

export class Sandbox {
  readonly #start: Start
  #child: ChildProcess.ChildProcess | undefined

  constructor(start: Start) {
    this.#start = start
  }

  async #started(): Promise<ChildProcess.ChildProcess> {
    if (this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      return this.#child
    }
    const child = ChildProcess.spawn(
      "unshare",
      ["--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script],
      {
        stdio: ["ignore", "ignore", "inherit", "ipc"],
        env: { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, HOME: "/root", NODE: process.execPath }
      }
    )
    this.#child = child
    child.send(this.#start)
    await this.#next(child, start)
    return child
  }

  /** The next message of the sandbox; it is missing if there is none within `limit` milliseconds. */
  #next(child: ChildProcess.ChildProcess, limit: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settled = (): void => {
        clearTimeout(timer)
        child.off("message", onMessage).off("exit", onExit)
      }
      const onMessage = (message: unknown): void => {
        settled()
        resolve(message)
      }
      const onExit = (): void => {
        settled()
        reject(new Error("the sandbox ended"))
      }
      const timer = setTimeout(() => {
        settled()
        resolve(undefined)
      }, limit)
      child.on("message", onMessage).on("exit", onExit)
    })
  }

  /**
   * Runs test files with mutants, in this order. Where one run has no end within `limit` milliseconds, or ends the sandbox,
   * its answer is missing. Where one ends the process of its tests, the others were not begun. They go on anew.
   */
  async run(runs: ReadonlyArray<Run>, limit: number): Promise<ReadonlyArray<Answer | undefined>> {
    const answers: Array<Answer | undefined> = []
    while (answers.length < runs.length) {
      const child = await this.#started()
      const first = answers.length
      child.send(runs.slice(first), () => {}) // the exit says all about a sandbox that has ended
      let message: unknown
      do {
        message = await this.#next(child, message === "begin" ? limit : start).catch(() => undefined)
        if (Array.isArray(message)) answers[first + message[0]] = message[1]
      } while (message !== undefined && message !== "done")
      if (answers.length === runs.length) break
      answers.push(message === "done" ? ended : undefined)
      if (message !== "done") await this.end()
    }
    return answers
  }

  /** Ends all that runs in the sandbox, and the sandbox. */
  async end(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, "exit")
    child.kill("SIGKILL") // its own child is the first process of the namespace, with which all others end
    await ended
  }
}
