/**
 * `npm start`: one real pod attachment, as podman asked for it, through the plugin that was just built; and where the
 * machine allows it, a real chain of real plugins that fails, and what doctor says of it.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { styleText } from "node:util"
import { command, plugin, repository } from "../support/plugin.ts"

const capture = JSON.parse(
  Fs.readFileSync(Path.join(repository, "test/fixtures/captures/podman-05-ADD.json"), "utf8")
)

const bold = (text: string) => styleText("bold", text)
const dim = (text: string) => styleText("dim", text)

const print = (text = "") => process.stdout.write(`${text}\n`)
const heading = (text: string) => print(`\n${bold(text)}`)
const indented = (text: string) => text.replace(/^(?=.)/gm, "  ")

const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "cni-passthrough-"))
const logFile = Path.join(repository, "dist/demo/ADD.log")
Fs.rmSync(logFile, { force: true })
// The captured configuration has hooks for iptables, which needs root: a hook that works everywhere instead.
const config = JSON.stringify({
  ...JSON.parse(capture.stdin),
  logFile,
  hookADD: ["echo \"$CNI_IFNAME of pod $CNI_ARGS\" | tr ';' '\\n'", "head -n 4 /proc/net/dev"],
  hookDEL: undefined
})

print(bold("passthrough: a CNI plugin that changes nothing and shows everything"))
print(dim(`A pod attachment as ${capture.runtime} really asked for it, between portmap and firewall:`))
print(dim("  bridge ─► portmap ─► ") + bold("passthrough") + dim(" ─► firewall"))

heading("① What goes in")
for (const [name, value] of Object.entries<string>(capture.env)) print(`  ${name.padEnd(15)} ${value}`)
print(`  ${"stdin".padEnd(15)} ${Buffer.byteLength(config)} bytes of network configuration, with bridge's result`)

const { status, stdout } = ChildProcess.spawnSync(plugin, [], {
  env: { ...process.env, ...capture.env },
  input: config,
  encoding: "utf8"
})

heading(`② What the tap logged, with the output of its hooks ${dim("less dist/demo/ADD.log")}`)
print(indented(Fs.readFileSync(logFile, "utf8").trim()))

heading("③ What comes out, for the next plugin")
print(indented(stdout))
const expected = JSON.stringify(JSON.parse(config).prevResult)
const passed = status === 0 && stdout === expected
print()
print(
  passed
    ? styleText("green", `✓ prevResult passed byte for byte (${stdout.length} bytes), exit status 0`)
    : styleText("red", `✗ exit status ${status}, expected 0 and ${expected}`)
)

/** What keeps this machine from running a real chain. */
const missing = [
  ...(ChildProcess.spawnSync("unshare", ["--mount", "--net", "true"]).status === 0 ? [] : ["root, and unshare"]),
  ...(ChildProcess.spawnSync("ip", ["-V"]).error === undefined ? [] : ["ip (package iproute2)"]),
  ...(Fs.existsSync("/usr/lib/cni/bridge") ? [] : ["plugins in /usr/lib/cni (package containernetworking-plugins)"])
]

/** A network with one address for its pods. */
const pods = {
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [
    {
      type: "bridge",
      bridge: "cni-pods0",
      isGateway: true,
      ipMasq: true,
      ipam: {
        type: "host-local",
        ranges: [[{ subnet: "10.99.0.0/30" }]],
        routes: [{ dst: "0.0.0.0/0" }],
        dataDir: Path.join(folder, "addresses")
      }
    },
    { type: "portmap", capabilities: { portMappings: true } }
  ]
}

/** What is typed, with the exit status that it should have. */
const chain = [
  ["run add pods.conflist --new-netns web --container-id web", 0],
  ["run add pods.conflist --new-netns api --container-id api", 1],
  ["doctor pods.conflist", 1]
] as const

/** Attaches two pods to it, in namespaces that end with this: nothing of it stays on the host. */
const runChain = (): boolean => {
  Fs.writeFileSync(Path.join(folder, "pods.conflist"), JSON.stringify(pods, undefined, 2))
  const script = [
    "mount -t tmpfs tmpfs /run",
    "ip link set lo up",
    ...chain.flatMap(([words, expected]) => [
      `printf '\\n  %s\\n' '${dim(`cni-passthrough ${words}`)}'`,
      "status=0",
      `"${process.execPath}" "${command}" ${words} ${
        words.startsWith("run") ? "--tap" : ""
      } --cni-path /usr/lib/cni --cache-dir cache || status=$?`,
      `[ $status = ${expected} ]`
    ])
  ].join("\n")
  Fs.writeFileSync(Path.join(folder, "chain.sh"), script)
  const { status, stderr } = ChildProcess.spawnSync("unshare", ["--mount", "--net", "sh", "-eu", "chain.sh"], {
    stdio: ["inherit", "inherit", "pipe"], // what fails as it should is drawn already
    cwd: folder,
    env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }
  })
  if (status !== 0) print(styleText("red", `✗ this did not end as it should: ${stderr}`))
  return status === 0
}

heading(`④ Two pods on a network with one address, as the companion command shows it ${dim("in ten seconds")}`)
if (missing.length > 0) print(dim(`  not on this machine: it needs ${missing.join(", ")}`))
const ran = missing.length > 0 || runChain()

Fs.rmSync(folder, { recursive: true })

/** Whether the Node.js that a shell finds, without what npm adds to its PATH, runs the command. */
const runsHere = (): boolean => {
  const folders = (process.env["PATH"] ?? "").split(":").filter((path) => !path.includes("/node_modules/"))
  const env = { ...process.env, PATH: folders.join(":") }
  return ChildProcess.spawnSync(command, ["--version"], { env }).status === 0
}

const here = (path: string) => Path.relative(repository, path)

heading("Next")
print("  # what the command can do")
print(`  ${runsHere() ? "" : `${here(process.execPath)} `}${here(command)} --help`)
print("  # both programs as executables that need no Node.js, for this host or a copy of them on another")
print("  npm run build:standalone")
print("  # as root, with podman or another runtime there: stand around its plugins, and take it out again")
print("  dist/standalone/cni-passthrough wrap")
print("  dist/standalone/cni-passthrough unwrap")
print(dim("  README.md goes on from there: \"A pod has no network\""))
process.exitCode = passed && ran ? 0 : 1
