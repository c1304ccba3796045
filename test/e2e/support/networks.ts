/** Networks on hosts of their own: each has network, mounts and processes to itself, with nothing but a link out. */
import * as Esbuild from "esbuild"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { unconfigured } from "../../support/netns.ts"
import type { Sandbox } from "./sandbox.ts"

/** A plugin `bridge` that masquerades, with addresses of host-local and a default route. */
export const bridge = {
  type: "bridge",
  bridge: "cni-n",
  isGateway: true,
  ipMasq: true,
  ipam: { type: "host-local", ranges: [[{ subnet: "10.99.0.0/24" }]], routes: [{ dst: "0.0.0.0/0" }] }
}

/** The network n of these plugins. */
export const listOf = (...plugins: ReadonlyArray<object>) => ({ cniVersion: "1.0.0", name: "n", plugins })

/** A network, what happens to it, and how doctor is asked. */
export interface Network {
  /** Files of /etc/cni/net.d, by name: as values, or as texts. */
  readonly files: { readonly [name: string]: object | string }
  /** A script, with the functions of {@link functions}. */
  readonly script?: string
  /** The words after `doctor`. Default: the network n. */
  readonly ask?: string
  /** The check whose finding is mended. Default: the one of the first finding. */
  readonly mends?: string
  /** Whether to run the commands of the fix, as they stand, and ask again. */
  readonly isMended?: boolean
  /** The same, as a script: what a person does who reads it, where it is more, or less, than a command. */
  readonly mend?: string
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
    readonly fix: {
      readonly text: string
      readonly commands: ReadonlyArray<ReadonlyArray<string>>
      readonly cuts?: string
    }
  }>
  readonly flows: ReadonlyArray<{
    readonly from: string
    readonly to: string
    readonly status: string
    readonly reason: string
  }>
  readonly checks: ReadonlyArray<{ readonly check: string; readonly status: string; readonly reason: string }>
}

/** A host of its own, and what each script can use. Its Node.js is none that the programs under test would find. */
export const functions = `
node() { /tmp/tools/node "$@"; }
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /etc/cni
mount -t tmpfs tmpfs /var/lib/cni
mkdir -p /etc/cni/net.d /run/lock
${unconfigured}
ip link set lo up
ip link add uplink type veth peer name world
ip link set world up
ip addr add 192.0.2.2/24 dev uplink
ip link set uplink up
ip route add default via 192.0.2.1
answering() { # lets the gateway of the host answer, so that packets leave
  ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:01 dev uplink nud permanent
}
says() { # WORDS: of the finding that is mended
  [[ $fix == *"$1"* ]] || { echo "expected to be told '$1', and not: $fix"; return 1; }
}
follow() { # PATTERN: runs the part of what it says that looks like this
  local command=$(grep -oE -- "$1" <<< "$fix")
  eval "\${command:?nothing like $1 in: $fix}" >&2
}
attach() { # NAME [CAPABILITY ARGUMENTS [NETWORK]]
  ip netns add $1
  cni-passthrough run add \${3:-n} --netns $1 --container-id $1 --capability-args "\${2:-{\\}}" >/dev/null
}
detach() { cni-passthrough run del n --netns $1 --container-id $1; }
add() { # NAME [CAPABILITY ARGUMENTS]
  cni-passthrough run add n --netns $1 --container-id $1 --capability-args "\${2:-{\\}}" >/dev/null
}
again() { # NAME [CAPABILITY ARGUMENTS]: attaches it anew
  detach $1
  add "$@"
}
read_fix() { # NAME [CHECK]: the fix of the first finding, or of the first of a check, one command a line
  node -e '
    const [, name, id] = process.argv
    const { findings } = JSON.parse(require("fs").readFileSync("/tmp/answers/" + name + ".out", "utf8"))
    const { fix: { commands, text } } = findings.find(({ check }) => id === undefined || check === id)
    require("fs").writeFileSync("/run/commands", JSON.stringify(commands))
    console.log([text, ...commands.map((words) => words.join(" "))].join("\\n"))
  ' "$@"
}
run_fix() { # the commands of that fix, as they stand
  node -e '
    const commands = JSON.parse(require("fs").readFileSync("/run/commands", "utf8"))
    if (commands.length === 0) throw new Error("the fix has no commands")
    for (const [program, ...words] of commands) {
      const { status } = require("child_process").spawnSync(program, words, { stdio: ["ignore", 2, 2] })
      if (status !== 0) throw new Error(program + " " + words.join(" ") + " exited with status " + status)
    }
  '
}
edit() { sed -i "$1" /etc/cni/net.d/10-n.conflist; }
rename() { # does what it says, where that is: rename "x" to "y"
  [[ $fix =~ ^rename\\ (\\"[^\\"]+\\")\\ to\\ (\\"[^\\"]+\\")$ ]] && edit "s/\${BASH_REMATCH[1]}/\${BASH_REMATCH[2]}/"
}
port() { echo "{\\"portMappings\\":[{\\"hostPort\\":$1,\\"containerPort\\":80,\\"protocol\\":\\"tcp\\"}]}"; }
inside() { local name=$1; shift; nsenter --net=/run/netns/$name -- "$@"; }
host_end() { ip -o link show type veth | grep -v world | sed -n 's/^[0-9]*: \\([^@]*\\)@.*/\\1/p' | head -1; }
host_ends() { ip -o link show type veth | grep -v 'world\\|uplink' | sed -n 's/^[0-9]*: \\([^@]*\\)@.*/\\1/p'; }
plugins() { # a folder of plugins of its own, in front of the others
  mkdir -p /run/plugins
  export CNI_PATH=/run/plugins:$CNI_PATH
}
plugin() { plugins; printf '%s' "$2" > /run/plugins/$1; chmod +x /run/plugins/$1; }
`

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** A script that writes files of the folder of networks. */
export const write = (files: Network["files"]): string =>
  Object.entries(files).map(([file, content]) =>
    `printf '%s' ${quoted(typeof content === "string" ? content : JSON.stringify(content))} > /etc/cni/net.d/${file}`
  ).join("\n")

const scriptOf = (name: string, { ask = "n", files, isMended = false, mend, mends, script = "" }: Network): string => {
  return [
    functions,
    write(files),
    script,
    `ask() { local status=0; cni-passthrough doctor ${ask} --json > /tmp/answers/$1.out 2> /tmp/answers/$1.err || status=$?; ` +
    "echo $status > /tmp/answers/$1.status; }",
    `ask ${name}`,
    ...(isMended || mend !== undefined
      ? [
        `fix=$(read_fix ${name} ${mends ?? ""})`,
        mend ?? "run_fix",
        `ask ${name}-mended`
      ]
      : [])
  ].join("\n")
}

const slug = (index: number): string => `case-${index}`

/** Whether nothing happens to a network, so that doctor can be asked about it where others were asked about before. */
const isQuiet = ({ isMended = false, mend, script }: Network): boolean =>
  script === undefined && mend === undefined && !isMended

/** How many hosts there are at a time: more than processors, for much of the time is spent waiting. */
const concurrency = 6

const read = (folder: string, name: string): Answer => {
  const text = (ending: string) => Fs.readFileSync(Path.join(folder, `${name}.${ending}`), "utf8")
  const whole = Path.join(folder, `${name}.json`)
  if (Fs.existsSync(whole)) return JSON.parse(Fs.readFileSync(whole, "utf8"))
  const document = text("out")
  return {
    ...(document === "" ? { findings: [], flows: [], checks: [] } : JSON.parse(document)),
    status: Number(text("status")),
    stderr: text("err")
  }
}

/**
 * Asks doctor about each of these networks, and again where they are mended: several at once, each on a host of its own.
 * Where nothing happens to a network, it is asked about in one process with others of that kind.
 */
export const ask = <Name extends string>(sandbox: Sandbox, networks: { readonly [name in Name]: Network }) => {
  const names = Object.keys(networks) as Array<Name>
  const [cases, answers] = ["cases", "answers"].map((folder) => Path.join(sandbox.tmp, folder)) as [string, string]
  const tools = Path.join(sandbox.tmp, "tools")
  for (const folder of [cases, answers, tools]) Fs.mkdirSync(folder, { recursive: true })
  Fs.copyFileSync(process.execPath, Path.join(tools, "node"))
  const quiet: { [name: string]: Network } = {}
  names.forEach((name, index) => {
    if (isQuiet(networks[name])) quiet[slug(index)] = networks[name]
    else Fs.writeFileSync(Path.join(cases, slug(index)), scriptOf(slug(index), networks[name]))
  })
  Fs.writeFileSync(Path.join(sandbox.tmp, "quiet.json"), JSON.stringify(quiet))
  Fs.writeFileSync(Path.join(cases, "quiet"), `${functions}\nnode /tmp/askMany.mjs /tmp/quiet.json /tmp/answers\n`)
  Esbuild.buildSync({
    entryPoints: [Path.join(import.meta.dirname, "askMany.ts")],
    outfile: Path.join(sandbox.tmp, "askMany.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    mainFields: ["module", "main"],
    logLevel: "error"
  })
  sandbox.run(`cd /tmp/cases
export NODE_COMPILE_CACHE=/tmp/compiled # of hundreds of commands
ls -r | xargs -P ${concurrency} -I{} sh -c \
  'unshare --net --mount --pid --fork --mount-proc bash -euo pipefail {} > /tmp/answers/{}.log 2>&1 || touch /tmp/answers/{}.failed'`)
  return (name: Name) => {
    const own = slug(names.indexOf(name))
    const host = own in quiet ? "quiet" : own
    const log = Path.join(answers, host)
    if (Fs.existsSync(`${log}.failed`)) throw new Error(Fs.readFileSync(`${log}.log`, "utf8"))
    const { isMended = false, mend }: Network = networks[name]
    const isAskedAgain = isMended || mend !== undefined
    return { answer: read(answers, own), mended: isAskedAgain ? read(answers, `${own}-mended`) : undefined }
  }
}
