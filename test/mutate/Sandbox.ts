/**
 * Where mutants run. They run as root and remove files and end processes, so all that they can reach is a copy: other
 * processes, networks and mounts are not there, and the file system is read-only but for layers that end with the sandbox.
 */
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import type { Answer, Request, Start } from "./Runner.ts"

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
exec "$NODE" test/mutate/Runner.ts
`

export class Sandbox {
  readonly #start: Start
  #child: ChildProcess.ChildProcess | undefined

  constructor(start: Start) {
    this.#start = start
  }

  async #started(): Promise<ChildProcess.ChildProcess> {
    if (this.#child !== undefined) return this.#child
    const child = ChildProcess.spawn(
      "unshare",
      ["--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script],
      {
        stdio: ["ignore", "ignore", "inherit", "ipc"],
        env: {
          PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`,
          HOME: "/root",
          NODE: process.execPath
        }
      }
    )
    this.#child = child
    child.send(this.#start)
    await this.#answer(child)
    return child
  }

  /** The next message of the sandbox. */
  async #answer(child: ChildProcess.ChildProcess, limit?: number): Promise<Answer | undefined> {
    const stop = new AbortController()
    const timer = limit === undefined ? undefined : setTimeout(() => stop.abort(), limit)
    const { signal } = stop
    try {
      return await Promise.race([
        once(child, "message", { signal }).then(([answer]) => answer as Answer),
        once(child, "exit", { signal }).then(() => {
          throw new Error("the sandbox ended")
        })
      ])
    } catch (error) {
      if (signal.aborted) return undefined
      throw error
    } finally {
      clearTimeout(timer)
      stop.abort()
    }
  }

  /** Runs one test file; the answer is missing where that took longer than `limit` milliseconds. */
  async run(request: Request, limit: number): Promise<Answer | undefined> {
    const child = await this.#started()
    child.send(request)
    const answer = await this.#answer(child, limit)
    if (answer === undefined) await this.end()
    return answer
  }

  /** Ends all that runs in the sandbox, and the sandbox. */
  async end(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, "exit")
    child.kill("SIGKILL") // the process that it is the parent of is the first of its namespace: all others end with it
    await ended
  }
}
