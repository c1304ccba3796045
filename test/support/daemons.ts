/** Real log daemons, started and stopped by the test that needs them. */
import * as ChildProcess from "node:child_process"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Path from "node:path"
import { temporary } from "./plugin.ts"
import { until } from "./until.ts"

/** An address of this host that no other test listens at. */
const ownAddress = (): string => `127.${[1, 2, 3].map(() => Crypto.randomInt(1, 255)).join(".")}`

const freePort = (address: string): Promise<number> =>
  new Promise((resolve) => {
    const server = Net.createServer().listen(0, address, () => {
      const { port } = server.address() as Net.AddressInfo
      server.close(() => resolve(port))
    })
  })

/** A message as rsyslog took it apart. */
export interface Message {
  readonly msg: string
  readonly programname: string
  readonly procid: string
  readonly msgid: string
  readonly syslogfacility: string
  readonly syslogseverity: string
  readonly "structured-data": string
}

export interface Rsyslog {
  readonly pid: number
  /** The addresses that it listens at: a socket as Debian configures /dev/log, one for RFC 5424, and the network. */
  readonly local: string
  readonly rfc5424: string
  readonly tcp: string
  readonly udp: string
  /** All messages so far, in the order of their arrival. */
  readonly messages: () => ReadonlyArray<Message>
  readonly signal: (signal: NodeJS.Signals) => void
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** An rsyslogd with its default limits and parsers, on loopback and on sockets of its own. */
export const rsyslog = async (): Promise<Rsyslog> => {
  const folder = temporary()
  const address = ownAddress()
  const port = await freePort(address)
  const local = Path.join(folder.path, "log.sock")
  const rfc5424 = Path.join(folder.path, "rfc5424.sock")
  const output = Path.join(folder.path, "messages")
  Fs.writeFileSync(
    Path.join(folder.path, "rsyslog.conf"),
    `
module(load="imuxsock" SysSock.Use="off")
module(load="imtcp")
module(load="imudp")
input(type="imuxsock" Socket="${local}" RateLimit.Interval="0")
input(type="imuxsock" Socket="${rfc5424}" RateLimit.Interval="0" UseSysTimeStamp="off" UseSpecialParser="off")
input(type="imtcp" address="${address}" port="${port}")
input(type="imudp" address="${address}" port="${port}" rcvbufSize="4m")
template(name="whole" type="list") { property(name="jsonmesg") constant(value="\\n") }
action(type="omfile" file="${output}" template="whole")
`
  )
  const child = ChildProcess.spawn(
    "rsyslogd",
    ["-n", "-f", Path.join(folder.path, "rsyslog.conf"), "-i", Path.join(folder.path, "pid")],
    // The kernel may hang up a process group that has a stopped process in it, and tests stop this one.
    { detached: true, stdio: "ignore" }
  )
  const ended = new Promise((resolve) => child.on("exit", resolve))
  const answers = () =>
    new Promise<boolean>((resolve) => {
      const socket = Net.connect(port, address, () => resolve(socket.end() !== undefined))
      socket.on("error", () => resolve(false))
    })
  await until("rsyslogd listens", async () => Fs.existsSync(local) && await answers())
  return {
    pid: child.pid ?? 0,
    local,
    rfc5424,
    tcp: `tcp://${address}:${port}`,
    udp: `udp://${address}:${port}`,
    messages: () =>
      Fs.existsSync(output)
        ? Fs.readFileSync(output, "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line) as Message)
        : [],
    signal: (signal) => child.kill(signal),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL")
      await ended
      folder[Symbol.dispose]()
    }
  }
}

/** The records that messages stand for, whose parts are joined again. */
// oxlint-disable-next-line typescript/no-explicit-any
export const recordsOf = (messages: ReadonlyArray<Message>): Array<any> => {
  const texts = new Map<string, Array<string>>()
  for (const [index, message] of messages.entries()) {
    // Without structured data, what tells parts from each other is in front of the text, which rsyslog begins with a space.
    const [, inText = "", text = ""] = /^ ?(\[cni-passthrough@32473 [^\]]*\] )?([^]*)$/.exec(message.msg) ?? []
    const data = message["structured-data"] === "-" ? inText : message["structured-data"]
    const value = (name: string) => new RegExp(` ${name}="([^"]*)"`).exec(data)?.[1] ?? ""
    const key = data === "" ? String(index) : `${value("invocation")} ${value("sequence")}`
    const part = Number(value("part").split("/")[0] || 1)
    const parts = texts.get(key) ?? []
    if (parts[part - 1] !== undefined) throw new Error(`part ${part} of ${key} came twice`)
    parts[part - 1] = text
    texts.set(key, parts)
  }
  return [...texts.values()].map((parts) => JSON.parse(parts.join("")))
}

export interface Journald {
  readonly pid: number
  /** What has to stand in front of a command for it to reach this journal. */
  readonly enter: ReadonlyArray<string>
  /** What `journalctl -o json` finds. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly find: (...matches: ReadonlyArray<string>) => Array<any>
  readonly signal: (signal: NodeJS.Signals) => void
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/**
 * A shell command that becomes a systemd-journald, which listens and keeps its journal in /run alone, without the
 * messages of the kernel, and whatever this host configured for its own.
 */
export const execJournald = `
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log/journal
cat > /run/systemd/journald.conf.d/zz-test.conf <<EOF
[Journal]
Storage=volatile
RateLimitBurst=0
MaxLevelStore=debug
Audit=no
ReadKMsg=no
ForwardToSyslog=no
ForwardToKMsg=no
ForwardToConsole=no
ForwardToWall=no
EOF
exec /lib/systemd/systemd-journald
`

/** A systemd-journald in a mount namespace of its own, where the journals of the host cannot be found. */
export const journald = async (): Promise<Journald> => {
  const script = `
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
${execJournald}`
  const child = ChildProcess.spawn("unshare", ["--mount", "sh", "-ec", script], { detached: true, stdio: "ignore" })
  const ended = new Promise((resolve) => child.on("exit", resolve))
  const enter = ["nsenter", "--mount", `--target=${child.pid}`, "--"]
  const run = (...command: ReadonlyArray<string>) =>
    ChildProcess.spawnSync(enter[0] ?? "", [...enter.slice(1), ...command], {
      encoding: "utf8",
      maxBuffer: 2 ** 28
    })
  await until("journald listens", () => run("test", "-S", "/run/systemd/journal/socket").status === 0)
  return {
    pid: child.pid ?? 0,
    enter,
    find: (...matches) => {
      run("journalctl", "--sync")
      const { stdout } = run("journalctl", "-o", "json", "--all", "--no-pager", ...matches)
      return stdout.trim() === "" ? [] : stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
    },
    signal: (signal) => child.kill(signal),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL")
      await ended
    }
  }
}
