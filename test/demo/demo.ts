/**
 * `npm start`: one real pod attachment, as podman asked for it, through the plugin that was just built; and where the
 * machine allows it, a real chain of real plugins.
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

/** Runs conf/10-chained.conflist in namespaces of its own, with its logs and addresses in our folder. */
const runChain = (): boolean => {
  const conflist = Path.join(folder, "10-chained.conflist")
  const text = Fs.readFileSync(Path.join(repository, "conf/10-chained.conflist"), "utf8")
    .replaceAll("/tmp/debug-", `${folder}/debug-`)
    .replace(`"type": "host-local",`, `"type": "host-local", "dataDir": "${folder}/addresses",`)
  Fs.writeFileSync(conflist, text)
  const script = `
mount -t tmpfs tmpfs /run
for operation in "add --new-netns" "check --netns" "del --new-netns"; do
  "$1" "$0" run \${operation% *} "$2" \${operation#* } demo --cni-path "\${0%/*}:/usr/lib/cni" --cache-dir "$3" --tap
done`
  const { status } = ChildProcess.spawnSync(
    "unshare",
    [
      "--mount",
      "--net",
      "sh",
      "-euc",
      script,
      command,
      process.execPath,
      conflist,
      folder
    ],
    {
      stdio: "inherit",
      env: { ...process.env, PATH: `${Path.dirname(process.execPath)}:${process.env["PATH"]}:/usr/sbin:/sbin` }
    }
  )
  return status === 0
}

heading("④ A whole chain, as the companion command shows it")
if (missing.length === 0) {
  print(dim("  cni-passthrough run add conf/10-chained.conflist --new-netns demo, then check and del"))
} else print(dim(`  not on this machine: it needs ${missing.join(", ")}`))
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
print(dim("  README.md goes on from there: \"Find out why a pod has no network, in a minute\""))
process.exitCode = passed && ran ? 0 : 1
