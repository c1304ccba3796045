/** Attachments of others that come and go in the host of a test, all the while. */
import * as ChildProcess from "node:child_process"
import type { Changes, Differences } from "../../src/record/Record.ts"
import type { Namespaces } from "./namespaces.ts"

/** How many there are. */
const count = 20

const come = (name: string, index: number): string =>
  `ip link add ${name} type veth peer name ${name}p
ip link set ${name} master others up
ip link set ${name}p up
ip addr add 10.254.${index}.1/24 dev ${name}p
iptables-nft -w -A FORWARD -o ${name} -j RETURN
iptables-nft -w -t nat -N ${name}`

const go = (name: string): string =>
  `iptables-nft -w -D FORWARD -o ${name} -j RETURN
iptables-nft -w -t nat -X ${name}
ip link del ${name}`

/** Starts them. Each is there for a while, until there are new ones. */
export const start = ({ within }: Namespaces): Disposable => {
  const names = Array.from({ length: count }, (_, index) => `other${index}`)
  const loop = `ip link add others type bridge; ip link set others up
while :; do\n${names.map(come).join("\n")}\n${names.map(go).join("\n")}\ndone`
  const [program = "", ...args] = within("host", "/bin/sh -c").split(" ")
  const child = ChildProcess.spawn(program, [...args, loop], { detached: true, stdio: "ignore" })
  return {
    [Symbol.dispose]: () => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
    }
  }
}

const isTheirs = (fact: string): boolean => /\bother(?:s|\d+p?)\b/.test(fact)

/** Whether something of what was found is theirs. */
export const areIn = (found: Differences): boolean =>
  Object.values(found).some(({ added, removed }) => [...added, ...removed].some(isTheirs))

/** What was found without what is theirs. */
export const without = (changes: Changes) => {
  const mine: { [place: string]: { [kind: string]: Differences[string] } } = {}
  for (const [place, found] of Object.entries(changes)) {
    for (const [kind, difference] of Object.entries(found)) {
      const [added, removed] = [difference.added, difference.removed].map((facts) =>
        facts.filter((fact) => !isTheirs(fact))
      )
      if (added === undefined || removed === undefined || added.length + removed.length === 0) continue
      const kinds = mine[place] ??= {}
      kinds[kind] = { added, removed }
    }
  }
  return mine
}
