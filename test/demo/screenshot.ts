/**
 * `node test/demo/screenshot.ts`: makes the picture of README and of docs/report.md, .github/report.png. As root, on a host with CNI
 * plugins and Chromium: a pod gets no address, and the report of it is opened in the browser.
 */
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { chromium } from "playwright-core"
import * as Sandbox from "../e2e/support/sandbox.ts"
import * as Wrapped from "../e2e/support/wrapped.ts"
import { repository } from "../support/plugin.ts"

/** A network with one address for pods. */
const network = {
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [
    {
      type: "bridge",
      bridge: "cni-pods",
      isGateway: true,
      ipMasq: true,
      ipam: { type: "host-local", ranges: [[{ subnet: "10.88.7.0/30" }]], routes: [{ dst: "0.0.0.0/0" }] }
    },
    { type: "portmap", capabilities: { portMappings: true } },
    { type: "firewall" },
    { type: "tuning" }
  ]
}

const containerId = (name: string): string => Crypto.createHash("sha256").update(name).digest("hex")

const file = Path.join(repository, ".github/report.png")

using sandbox = Sandbox.makeWithCommand()
Fs.writeFileSync(Path.join(sandbox.tmp, "pods.conflist"), JSON.stringify(network))
sandbox.run(`
${Wrapped.setUp}
mount -t tmpfs tmpfs /run
cp /tmp/pods.conflist /etc/cni/net.d/
cni-passthrough wrap >&2
attach() { # NAME CONTAINER
  cni-passthrough run add pods --new-netns $1 --container-id $2 --args "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=$1" \\
    --capability-args '{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}' >&2
}
attach web ${containerId("web")}
attach api ${containerId("api")} || true
cni-passthrough report /var/log/cni/passthrough.jsonl -o /tmp/report.html >&2
`)

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] })
try {
  const page = await browser.newPage({ viewport: { width: 1200, height: 960 }, deviceScaleFactor: 1.5 })
  await page.goto(`file://${Path.join(sandbox.tmp, "report.html")}`)
  await page.locator(".step", { hasText: "host-local" }).first().click()
  await page.mouse.move(0, 0)
  Fs.mkdirSync(Path.dirname(file), { recursive: true })
  await page.screenshot({ path: file })
} finally {
  await browser.close()
}
process.stdout.write(`${file}: ${Fs.statSync(file).size} bytes\n`)
