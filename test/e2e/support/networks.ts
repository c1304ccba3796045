/** Networks on hosts of their own: each has network and mount namespaces to itself, with nothing in them but a link out. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Sandbox } from "./sandbox.ts"

/** A network, what happens to it, and how doctor is asked. */
export interface Network {
  /** Files of /etc/cni/net.d, by name: as values, or as texts. */
  readonly files: { readonly [name: string]: object | string }
  /** A script, with the functions of {@link functions}. */
  readonly script?: string
  /** The words after `doctor`. Default: the network n. */
  readonly ask?: string
  /** Whether to do what the first finding says, and ask again. */
  readonly isMended?: boolean
}

/** What doctor said. */
export interface Answer {
  readonly status: number
  readonly stderr: string
  readonly findings: ReadonlyArray<{
    readonly level: string
    readonly check: string
    readonly plugin?: string
    readonly message: string
    readonly evidence: ReadonlyArray<string>
    readonly fix: string
  }>
  readonly checks: ReadonlyArray<{ readonly check: string; readonly status: string; readonly reason: string }>
}

/** What each script can use. */
const functions = `
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /etc/cni
mount -t tmpfs tmpfs /var/lib/cni
mkdir -p /etc/cni/net.d /run/lock
ip link set lo up
ip link add uplink type veth peer name world
ip link set world up
ip addr add 192.0.2.2/24 dev uplink
ip link set uplink up
ip route add default via 192.0.2.1
attach() { # NAME [CAPABILITY ARGUMENTS [NETWORK]]
  ip netns add $1
  cni-passthrough run add \${3:-n} --netns $1 --container-id $1 --capability-args "\${2:-{\\}}" >/dev/null
}
port() { echo "{\\"portMappings\\":[{\\"hostPort\\":$1,\\"containerPort\\":80,\\"protocol\\":\\"tcp\\"}]}"; }
inside() { local name=$1; shift; nsenter --net=/run/netns/$name -- "$@"; }
host_end() { ip -o link show type veth | grep -v world | sed -n 's/^[0-9]*: \\([^@]*\\)@.*/\\1/p' | head -1; }
plugins() { # a folder of plugins of its own, in front of the others
  mkdir -p /run/plugins
  export CNI_PATH=/run/plugins:$CNI_PATH
}
plugin() { plugins; printf '%s' "$2" > /run/plugins/$1; chmod +x /run/plugins/$1; }
`

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

const scriptOf = (name: string, { ask = "n", files, isMended = false, script = "" }: Network): string =>
  [
    functions,
    ...Object.entries(files).map(([file, content]) =>
      `printf '%s' ${quoted(typeof content === "string" ? content : JSON.stringify(content))} > /etc/cni/net.d/${file}`
    ),
    script,
    `ask() { local status=0; cni-passthrough doctor ${ask} --json > /tmp/answers/$1.json 2> /tmp/answers/$1.err || status=$?; ` +
    "echo $status > /tmp/answers/$1.status; }",
    `ask ${name}`,
    ...(isMended
      ? [
        `fix=$(node -p 'JSON.parse(require("fs").readFileSync("/tmp/answers/${name}.json", "utf8")).findings[0].fix')`,
        `bash -c "$fix" >&2`,
        `ask ${name}-mended`
      ]
      : [])
  ].join("\n")

const slug = (index: number): string => `case-${index}`

const read = (sandbox: Sandbox, name: string): Answer => {
  const text = (ending: string) => Fs.readFileSync(Path.join(sandbox.tmp, "answers", `${name}.${ending}`), "utf8")
  const document = text("json")
  return {
    ...(document === "" ? { findings: [], checks: [] } : JSON.parse(document)),
    status: Number(text("status")),
    stderr: text("err")
  }
}

/** Asks doctor about each of these networks, and again where they are mended; several at once. */
export const ask = <Name extends string>(sandbox: Sandbox, networks: { readonly [name in Name]: Network }) => {
  const names = Object.keys(networks) as Array<Name>
  for (const folder of ["cases", "answers"]) Fs.mkdirSync(Path.join(sandbox.tmp, folder), { recursive: true })
  names.forEach((name, index) =>
    Fs.writeFileSync(Path.join(sandbox.tmp, "cases", slug(index)), scriptOf(slug(index), networks[name]))
  )
  sandbox.run(`cd /tmp/cases
ls | xargs -P 4 -I{} sh -c 'unshare --net --mount bash -euo pipefail {} > /tmp/answers/{}.log 2>&1 || touch /tmp/answers/{}.failed'
rm -rf /tmp/cases`)
  return (name: Name) => {
    const own = slug(names.indexOf(name))
    const log = Path.join(sandbox.tmp, "answers", own)
    if (Fs.existsSync(`${log}.failed`)) throw new Error(Fs.readFileSync(`${log}.log`, "utf8"))
    const { isMended = false }: Network = networks[name]
    return { answer: read(sandbox, own), mended: isMended ? read(sandbox, `${own}-mended`) : undefined }
  }
}
