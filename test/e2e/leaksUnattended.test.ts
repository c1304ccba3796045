/**
 * `leaks --fix --every` beside a runtime that is killed in all bad moments: at the end nothing is left of what is gone,
 * and all that lives is as it was. PASSTHROUGH_SOAK says how many attachments are made; 2000 can be made by hand.
 */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { describeWith } from "../support/requirements.ts"
import * as Sandbox from "./support/sandbox.ts"

const attachments = Number(process.env["PASSTHROUGH_SOAK"] ?? 60)

/** How many attachments are made at a time: an odd number, so that each worker comes to each way to end one. */
const workers = 3

/** How long it may take, in milliseconds: 2000 attachments take more than half an hour. */
const longest = 7_200_000

const chain = {
  cniVersion: "1.0.0",
  name: "soak",
  plugins: [
    {
      type: "bridge",
      bridge: "cni-soak0",
      isGateway: true,
      ipMasq: true,
      ipam: { type: "host-local", ranges: [[{ subnet: "10.98.0.0/16" }]], routes: [{ dst: "0.0.0.0/0" }] }
    },
    { type: "portmap", capabilities: { portMappings: true } },
    { type: "firewall" }
  ]
}

/** Each way to end an attachment, for the one whose number is the argument. */
const script = `
set -E
trap 'echo "status $? of $BASH_COMMAND in \${FUNCNAME[*]}" >&2' ERR
RANDOM=7
mkdir -p /tmp/alive
add() {
  ip netns add c$1
  setsid cni-passthrough run add soak --netns c$1 --container-id soak-c$1 \\
    --capability-args "{\\"portMappings\\":[{\\"hostPort\\":$((20000 + $1)),\\"containerPort\\":80,\\"protocol\\":\\"tcp\\"}]}" > /tmp/added.$1 || { cat /tmp/added.$1 >&2; return 1; }
  rm /tmp/added.$1
}
del() { setsid cni-passthrough run del soak --netns c$1 --container-id soak-c$1 > /dev/null 2>&1; }
soon() { sleep 0.$((RANDOM % 6))$((RANDOM % 10)); }
# All that belongs to a container: its files, its rules and its link.
state() {
  local address=$(cat /tmp/alive/$1)
  cat /var/lib/cni/results/soak-soak-c$1-eth0 /var/lib/cni/networks/soak/$address | md5sum
  iptables-save | grep -e "soak-c$1\\\\\\\\\\"" -e "$address/32" | sort
  ip -o link show master cni-soak0 | grep -c veth > /dev/null
}
address() { grep -o '"address": *"10[.]98[.][0-9.]*' /var/lib/cni/results/soak-soak-c$1-eth0 | cut -d '"' -f 4; }

lives() { add $1; address $1 > /tmp/alive/$1; state $1 > /tmp/alive/$1.state; }
lost-del() { add $1; ip netns del c$1; }
killed-in-add() {
  add $1 2> /dev/null & local runtime=$!
  soon
  # The runtime alone, or its plugins too.
  local child=$(pgrep -P $runtime || true)
  [ $((RANDOM % 2)) = 0 ] && kill -9 $child $runtime 2> /dev/null || kill -9 $runtime -- $(printf -- '-%s ' $child) 2> /dev/null || true
  wait $runtime 2> /dev/null || true
  ip netns del c$1
}
kill-del() {
  del $1 & local runtime=$!
  soon
  kill -9 $(pgrep -P $runtime || true) $runtime 2> /dev/null || true
  wait $runtime 2> /dev/null || true
  ip netns del c$1
}
killed-in-del() { add $1; kill-del $1; }
locked() { # host-local waits for its lock when it is killed
  add $1
  flock /var/lib/cni/networks/soak/lock sleep 1 & local holder=$!
  kill-del $1
  wait $holder
}
held() { # its namespace lost its name, and lives on in a process for now
  add $1
  nsenter --net=/run/netns/c$1 sleep 100000 &
  echo $! >> /tmp/holders
  until [ /proc/$!/ns/net -ef /run/netns/c$1 ]; do sleep 0.05; done
  ip netns del c$1
}
held-on() { # and to the end
  lives $1
  nsenter --net=/run/netns/c$1 sleep 100000 &
  until [ /proc/$!/ns/net -ef /run/netns/c$1 ]; do sleep 0.05; done
  ip netns del c$1
}
reboot() { # files stay; namespaces, links and rules do not
  for number in "$@"; do add $number; done
  for number in "$@"; do ip netns del c$number; done
  ip link del cni-soak0
  for table in nat filter; do iptables -t $table -F; iptables -t $table -X; done
}

cni-passthrough leaks --fix --every 1s --older 2s --json --log /tmp/removed.jsonl > /tmp/looks 2> /tmp/errors &
cleaner=$!
reboot $(seq 10001 ${10_000 + Math.ceil(attachments / 20)})
ways=(lives lost-del killed-in-add killed-in-del locked held lives killed-in-add held-on lost-del)
work() { # its share of the attachments
  RANDOM=$1
  for number in $(seq $1 ${workers} ${attachments}); do
    \${ways[$((number % \${#ways[@]}))]} $number
  done
}
lives 0 # which makes the chains that all have
working=
for worker in $(seq ${workers}); do work $worker & working="$working $!"; done
for worker in $working; do wait $worker; done
kill $(cat /tmp/holders) 2> /dev/null || true

clean() {
  [ "$(ls /var/lib/cni/results | wc -l)" = "$(ls /tmp/alive/*.state | wc -l)" ] &&
    timeout 300 cni-passthrough leaks > /dev/null 2>&1
}
for attempt in $(seq 300); do clean && break; sleep 1; done
kill -TERM $cleaner
wait $cleaner && echo "ended with 0"

alive=$(ls /tmp/alive/*.state | xargs -n1 basename | sed 's/[.]state//' | sort)
addresses=$(for number in $alive; do cat /tmp/alive/$number; done | sort)
echo left of what is gone:
ls /var/lib/cni/results | sed 's/soak-soak-c//; s/-eth0//' | sort | comm -3 - <(echo "$alive")
ls /var/lib/cni/networks/soak | grep '^10' | sort | comm -3 - <(echo "$addresses")
iptables-save | grep -o 'soak-c[0-9]*' | sed 's/soak-c//' | sort -u | comm -3 - <(echo "$alive")
iptables-save | grep -o '10[.]98[.][0-9.]*/32' | sed 's#/32##' | sort -u | comm -3 - <(echo "$addresses")
echo changed of what lives:
for number in $alive; do state $number | diff /tmp/alive/$number.state - | sed "s/^/c$number /" || true; done
for number in $alive; do
  answer=$(timeout 10 bash -c ": < /dev/tcp/$(cat /tmp/alive/$number)/9" 2>&1 || true)
  [[ $answer == *refused* ]] || echo "c$number does not answer: $answer"
done
echo removed of what lives:
for number in $alive; do grep -h "\\"soak-c$number\\"" /tmp/removed.jsonl || true; done
echo errors:
cat /tmp/errors
`

describeWith(["containernetworking-plugins", "iproute2", "iptables"], "cni-passthrough leaks --fix --every", () => {
  let sandbox: Sandbox.Sandbox
  beforeAll(() => {
    sandbox = Sandbox.makeWithCommand()
    Fs.writeFileSync(Path.join(sandbox.tmp, "etc-cni/net.d/10-soak.conflist"), JSON.stringify(chain))
  })
  afterAll(() => sandbox[Symbol.dispose]())

  it(`removes all that ${attachments} attachments left behind that ended badly, and nothing of those that live`, () => {
    assert.deepStrictEqual(sandbox.run(script, longest).trim().split("\n"), [
      "ended with 0",
      "left of what is gone:",
      "changed of what lives:",
      "removed of what lives:",
      "errors:"
    ])
    const looks = Fs.readFileSync(Path.join(sandbox.tmp, "looks"), "utf8").trim().split("\n").map((line) =>
      JSON.parse(line)
    )
    assert.deepStrictEqual(looks.flatMap(({ error = [] }) => error), [])
    const removed = looks.flatMap(({ removed }) => removed)
    const logged = Fs.readFileSync(Path.join(sandbox.tmp, "removed.jsonl"), "utf8").trim().split("\n")
    assert.isAbove(removed.length, attachments)
    assert.lengthOf(logged, removed.length)
  }, 2 * longest)
})
