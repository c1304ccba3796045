/** All sinks under real runtimes, with the log daemons of the host where they are on a node. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { execJournald, type Message, recordsOf } from "../support/daemons.ts"
import { describeWith } from "../support/requirements.ts"
import { buildLibcniRun } from "./support/libcni.ts"
import { setUp } from "./support/podman.ts"
import * as Sandbox from "./support/sandbox.ts"

/** journald and rsyslogd, at their usual places in a /dev and a /run of the sandbox. */
const startDaemons = `
mkdir -p /tmp/dev /tmp/var-log
for node in null zero full random urandom tty net kmsg fuse; do
  [ -e /dev/$node ] || continue
  if [ -d /dev/$node ]; then mkdir /tmp/dev/$node; else touch /tmp/dev/$node; fi
  mount --bind /dev/$node /tmp/dev/$node
done
mkdir -p /tmp/dev/pts /tmp/dev/shm
ln -s pts/ptmx /tmp/dev/ptmx
ln -s /proc/self/fd /tmp/dev/fd
mount -t devpts -o newinstance,ptmxmode=0666 devpts /tmp/dev/pts
mount --rbind /tmp/dev /dev
mount --bind /tmp/var-log /var/log
(${execJournald}) &
while [ ! -S /run/systemd/journal/socket ]; do sleep 0.05; done
rm -f /dev/log
cat > /tmp/rsyslog.conf <<EOF
module(load="imuxsock" SysSock.Use="off")
module(load="imtcp")
input(type="imuxsock" Socket="/dev/log" UseSpecialParser="off")
input(type="imtcp" address="127.0.0.1" port="601")
template(name="whole" type="list") { property(name="jsonmesg") constant(value="\\n") }
if \\$inputname == "imtcp" then action(type="omfile" file="/tmp/by-tcp" template="whole")
else if \\$programname == "cni-passthrough" then action(type="omfile" file="/tmp/by-socket" template="whole")
EOF
rsyslogd -n -f /tmp/rsyslog.conf -i /tmp/rsyslog.pid &
while [ ! -S /dev/log ]; do sleep 0.05; done
while ! (: < /dev/tcp/127.0.0.1/601) 2>/dev/null; do sleep 0.05; done
`

/** Lets the daemons write what they have. */
const finish = `
sleep 0.5
journalctl --sync
journalctl -o json --all --no-pager SYSLOG_IDENTIFIER=cni-passthrough > /tmp/by-journal || true
`

const packages = ["containernetworking-plugins", "iproute2", "iptables", "rsyslog", "systemd", "bsdutils"] as const

describeWith([...packages, "busybox-static", "podman", "runc"], "a container of podman that logs everywhere", () => {
  let sandbox: Sandbox.Sandbox
  const lines = (name: string) =>
    Fs.readFileSync(Path.join(sandbox.tmp, name), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line))

  beforeAll(() => {
    sandbox = Sandbox.make()
    const conflist = JSON.parse(Fs.readFileSync(Path.join(sandbox.tmp, "conf/87-podman-bridge.conflist"), "utf8"))
    const bridge = conflist.plugins.find(({ type }: { readonly type: string }) => type === "bridge")
    const tap = {
      type: "passthrough",
      label: "after-bridge",
      logFile: "/tmp/by-file",
      logFormat: "json",
      hookADD: ["/usr/sbin/iptables -L -n -v -t nat"],
      logSinks: [
        { type: "syslog", address: "/dev/log" },
        { type: "syslog", address: "tcp://127.0.0.1:601" },
        { type: "journald" }
      ]
    }
    Fs.writeFileSync(
      Path.join(sandbox.tmp, "etc-cni/net.d/87-podman-bridge.conflist"),
      JSON.stringify({ ...conflist, plugins: [bridge, tap] })
    )
    sandbox.run(`${setUp}\n${startDaemons}\npodman run --rm localhost/bb /bin/busybox true >&2\n${finish}`)
  })
  afterAll(() => sandbox[Symbol.dispose]())

  it("leaves the records of its ADD and its DEL in the file", () => {
    assert.deepStrictEqual(
      lines("by-file").map(({ command, event }) => `${command} ${event}`),
      ["ADD request", "ADD hook", "ADD result", "DEL request", "DEL result"]
    )
  })

  for (const [place, name] of [["the local syslog socket", "by-socket"], ["syslog over TCP", "by-tcp"]] as const) {
    it(`leaves the same records, field by field, in ${place}`, () => {
      const byTime = (records: ReadonlyArray<{ readonly time: string }>) =>
        records.toSorted((left, right) => left.time < right.time ? -1 : 1)
      assert.deepStrictEqual(byTime(recordsOf(lines(name) as Array<Message>)), byTime(lines("by-file")))
    })
  }

  it("leaves the same records, field by field, in the journal", () => {
    assert.deepStrictEqual(lines("by-journal").map((entry) => JSON.parse(entry.CNI_RECORD)), lines("by-file"))
  })
})

describeWith(
  [...packages, "golang-go", "golang-github-appc-cni-dev"],
  "the examples of conf/, one for each sink, under libcni",
  () => {
    let sandbox: Sandbox.Sandbox
    const read = (name: string) => Fs.readFileSync(Path.join(sandbox.tmp, name), "utf8")

    beforeAll(() => {
      sandbox = Sandbox.make()
      buildLibcniRun(sandbox)
      // libcni keeps stderr for itself where a plugin succeeds: this one is called without it.
      const { plugins } = JSON.parse(read("conf/20-stderr.conflist"))
      Fs.writeFileSync(Path.join(sandbox.tmp, "tap.json"), JSON.stringify(plugins.at(-1)))
      sandbox.run(`${startDaemons}
ip netns add testing
for sink in file syslog journald stderr; do
  for verb in add check del; do
    libcni-run $verb /tmp/conf/20-$sink.conflist /run/netns/testing container-$sink eth0 /tmp/cache >/dev/null
  done
done
CNI_COMMAND=VERSION /opt/cni/bin/passthrough </tmp/tap.json 2>/tmp/by-stderr >/dev/null
${finish}`)
    })
    afterAll(() => sandbox[Symbol.dispose]())

    const expected = ["ADD request", "ADD result", "CHECK request", "CHECK result", "DEL request", "DEL result"]

    it("20-file.conflist leaves them in a file that its group may read", () => {
      const file = "var-log/cni/container-file.jsonl"
      const records = read(file).trimEnd().split("\n").map((line) => JSON.parse(line))
      assert.deepStrictEqual(records.map(({ command, event }) => `${command} ${event}`), expected)
      assert.strictEqual(Fs.statSync(Path.join(sandbox.tmp, file)).mode & 0o777, 0o640)
    })

    it("20-syslog.conflist leaves them in syslog", () => {
      const messages = read("by-socket").trimEnd().split("\n").map((line) => JSON.parse(line) as Message)
      const seen = recordsOf(messages).map(({ command, event }) => `${command} ${event}`)
      assert.deepStrictEqual(seen.sort(), expected)
    })

    it("20-journald.conflist leaves them in the journal", () => {
      const entries = read("by-journal").trimEnd().split("\n").map((line) => JSON.parse(line))
      assert.deepStrictEqual(entries.map((entry) => `${entry.CNI_COMMAND} ${entry.CNI_EVENT}`), expected)
    })

    it("20-stderr.conflist leaves them on stderr", () => {
      assert.match(read("by-stderr"), /^CNI_COMMAND: VERSION$/m)
    })
  }
)
