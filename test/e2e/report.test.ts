/** Reports, as people use them in a browser. */
import { afterAll, assert, beforeAll, describe, it, vi } from "@effect/vitest"
import Axe from "axe-core"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import type { Page } from "playwright-core"
import { common, hook, wrapped } from "../operations/records.ts"
import { command, path, repository, temporary } from "../support/plugin.ts"
import { describeWith } from "../support/requirements.ts"
import * as Browser from "./support/browser.ts"

const text = (records: ReadonlyArray<object | string>) =>
  records.map((record) => `${typeof record === "string" ? record : JSON.stringify(record)}\n`).join("")

const noAddresses = { event: "error", error: { code: 11, msg: "no addresses", details: "10.88.0.1-10.88.0.2" } }

/** What JSON.parse would not give back: a large integer, a fraction of zero, keys that look like numbers, white space. */
const config =
  `{"cniVersion":"1.0.0","type":"bridge","big":12345678901234567890,"f":1.0,"b":1,"1":2,"é":"\\u202e\\u001b","name":"podman"}`

const stderr = "panic: <b>no</b> addresses\n\tgoroutine 1 [running] \u0007\n"

const result = {
  cniVersion: "1.0.0",
  interfaces: [
    { name: "cni-podman0", mac: "d6:d2:b9:d9:c4:8d" },
    { name: "veth77083b28", mac: "56:84:e5:a7:dd:bd" },
    { name: "eth0", mac: "8e:12:36:ae:21:78", sandbox: "/run/netns/demo" }
  ],
  ips: [{ address: "10.88.0.2/16", gateway: "10.88.0.1", interface: 2 }],
  routes: [{ dst: "0.0.0.0/0" }]
}

/** An ADD of a pod that fails in the plugin that bridge starts, one that goes well, and its DEL on another network. */
const log = (() => {
  const web = { args: "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web" }
  const db = { args: "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=db", containerId: "78f25a65c53b" }
  const outcome = { exitCode: 1, stderr }
  const [request, ...rest] = wrapped("1", {
    type: "bridge",
    start: 0,
    took: 400,
    members: web,
    outcome: { exitCode: 1 },
    end: noAddresses
  })
  const changes = {
    host: { links: { added: ["vethb3 mtu 1500"], removed: [] } },
    container: { routes: { added: [], removed: ["default"] } }
  }
  return text([
    JSON.stringify(request).replace(/"config":.*$/, () => `"config":${config}}`),
    ...wrapped("2", {
      type: "host-local",
      start: 100,
      took: 80,
      members: { ...web, parent: "1" },
      outcome,
      end: noAddresses
    }),
    ...rest,
    ...wrapped("3", {
      type: "bridge",
      start: 5000,
      took: 90,
      members: db,
      config: { runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }] } },
      end: { event: "result", result }
    }).slice(0, 2),
    { ...common("3", 5090, "bridge"), ...db, event: "changes", changes, durationMs: 4 },
    { ...common("3", 5090, "bridge"), ...db, event: "hook", hook, durationMs: 12.5 },
    { ...common("3", 5090, "bridge"), ...db, durationMs: 90, event: "result", result },
    ...wrapped("4", {
      type: "tuning",
      start: 60_000,
      took: 5,
      members: { ...db, command: "DEL", network: "other" }
    })
  ])
})()

/** The operations that are shown, each by its verb and what stands before it. */
const shown = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("h2, h3, .operation .who")].map((it) => (it.textContent ?? "").trim())
  )

/** Waits until a page shows what it should, and fails where it does not. */
const eventually = (probe: () => Promise<unknown>, expected: unknown) =>
  vi.waitFor(async () => assert.deepStrictEqual(await probe(), expected), { timeout: 60_000 })

/** Opens all operations, selects each of their steps, and opens all that is folded. */
const openAll = (page: Page) =>
  page.evaluate(async () => {
    const settle = () => new Promise((resolve) => setTimeout(resolve, 50))
    const click = (selector: string) => document.querySelectorAll<HTMLElement>(selector).forEach((it) => it.click())
    click("[aria-expanded=false]")
    await settle()
    for (let step = 0; step < 3; step++) {
      document.querySelectorAll(".waterfall").forEach((it) => it.querySelectorAll<HTMLElement>(".step")[step]?.click())
      await settle()
      for (let depth = 0; depth < 3; depth++) {
        click("details:not([open]) > summary")
        await settle()
      }
    }
  })

/** The elements that do not fit the window. */
const tooWide = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("body, body *")]
      .filter((it) => it.getBoundingClientRect().right > innerWidth && !it.classList.contains("unseen"))
      .map((it) => it.outerHTML.slice(0, 100))
  )

/** What axe has against a page. */
const violations = async (page: Page) => {
  await page.evaluate(Axe.source)
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof Axe }).axe.run())
  return violations.map(({ help, nodes }) => [help, nodes[0]?.html])
}

describeWith(["chromium"], "a report in a browser", () => {
  let browser: Browser.Watched
  beforeAll(async () => {
    browser = await Browser.start()
  })
  afterAll(() => browser.close())

  describe("of a plugin that failed inside another", () => {
    let report: ReturnType<typeof Browser.report>
    beforeAll(() => {
      report = Browser.report(log)
    })
    afterAll(() => report[Symbol.dispose]())

    it("has what failed first, and what is of one pod together", async () => {
      const page = await browser.open(report.html)
      assert.deepStrictEqual(await shown(page), [
        "Failed 1",
        "shop/web 5c01f03d8d6d",
        "ADD eth0 on podman",
        "Went well 2",
        "shop/db 78f25a65c53b",
        "ADD eth0 on podman",
        "DEL eth0 on other"
      ])
    })

    it("leads with clicks from the failure to the stderr of the plugin inside", async () => {
      const page = await browser.open(report.html)
      const row = page.getByRole("button", { name: /failed: ADD eth0 on podman/ })
      await row.click() // it was open
      await eventually(() => page.locator(".body").count(), 0)
      await row.click()
      await page.getByRole("button", { name: /: bridge/ }).click()
      await page.locator(".detail", { hasText: /^✗ bridge/ }).waitFor()
      await page.getByRole("button", { name: /: host-local/ }).click()
      await page.locator(".detail", { hasText: /^✗ host-local in bridge/ }).waitFor()
      assert.strictEqual(
        await page.getByRole("group", { name: "stderr" }).textContent(),
        "panic: <b>no</b> addresses\n\tgoroutine 1 [running] \\u0007\n"
      )
    })

    it("draws each step as long as it took, where it was", async () => {
      const page = await browser.open(report.html)
      const places = await page.locator(".bar").evaluateAll((bars) =>
        bars.map((bar) => [(bar as HTMLElement).style.left, (bar as HTMLElement).style.width])
      )
      assert.deepStrictEqual(places, [["0%", "100%"], ["25%", "20%"]])
    })

    it("gives documents and outputs as they came, to the byte, to the clipboard", async () => {
      const page = await browser.open(report.html)
      const copied = async (name: string) => {
        await page.getByRole("button", { name: `Copy ${name}`, exact: true }).click()
        await page.getByText("copied").waitFor()
        return page.evaluate(() => navigator.clipboard.readText())
      }
      assert.strictEqual(await copied("stderr"), stderr)
      await page.getByRole("button", { name: /: bridge/ }).click()
      await page.locator("summary", { hasText: /^stdin/ }).click()
      assert.strictEqual(await copied("stdin"), config)
    })

    it("shows large integers, and keys in their order, as they came", async () => {
      const page = await browser.open(report.html)
      await page.getByRole("button", { name: /: bridge/ }).click()
      await page.locator("summary", { hasText: /^stdin/ }).click()
      const shown = await page.getByRole("group", { name: "stdin" }).textContent()
      assert.match(shown ?? "", /"big": 12345678901234567890,\n {2}"f": 1.0,\n {2}"b": 1,\n {2}"1": 2,/)
    })

    it("folds what is in a document, and first what came from the plugins before", async () => {
      const end = { event: "result", result }
      using other = Browser.report(text(wrapped("1", {
        type: "tuning",
        start: 0,
        took: 5,
        config: { type: "tuning", sysctl: { a: 1, b: 2, c: 3 }, prevResult: result },
        end
      })))
      const page = await browser.open(other.html)
      await page.getByRole("button", { name: /^ADD/ }).click()
      await page.locator("summary", { hasText: /^stdin/ }).click()
      const stdin = page.getByRole("group", { name: "stdin" })
      const folded = () => stdin.locator("details:not([open]) > summary").allInnerTexts()
      assert.deepStrictEqual(await folded(), [`  "prevResult": {`])
      await stdin.locator("summary", { hasText: "sysctl" }).click()
      assert.deepStrictEqual(await folded(), [`  "sysctl": {`, `  "prevResult": {`])
      assert.include(await stdin.innerText(), `"name": "podman"`)
    })

    it("shows what a plugin changed, in the result, the host and the container, and its hooks", async () => {
      const page = await browser.open(report.html)
      await page.getByRole("button", { name: /^ADD eth0 on podman/ }).click()
      const shown = await page.locator(".detail").last().innerText()
      assert.match(shown, /added\s+address 10\.88\.0\.2\/16/)
      assert.match(shown, /vethb3/)
      assert.match(shown, /default/)
      assert.match(shown, /\$ iptables -t nat -S/)
    })

    it("draws the network of an attachment", async () => {
      const page = await browser.open(report.html)
      await page.getByRole("button", { name: /^ADD eth0 on podman/ }).click()
      const words = await page.locator("svg").getAttribute("aria-label")
      assert.strictEqual(
        words,
        "In demo:; routes 0.0.0.0/0; eth0 10.88.0.2/16 8e:12:36:ae:21:78; In the host:; " +
          "veth77083b28 56:84:e5:a7:dd:bd; cni-podman0 gateway 10.88.0.1 d6:d2:b9:d9:c4:8d; " +
          "published ports host 8080/tcp → 10.88.0.2:80"
      )
    })

    describe("filters", () => {
      const verbs = (page: Page) => page.locator(".operation .who").allInnerTexts()
      const all = ["ADD eth0 on podman", "ADD eth0 on podman", "DEL eth0 on other"]

      const filters: { readonly [name: string]: (page: Page) => Promise<unknown> } = {
        "by a text of any record": (page) => page.getByLabel("Search").fill("VETH77083b28"),
        "by a text with what JSON escapes": (page) => page.getByLabel("Search").fill("\tgoroutine"),
        "by network": (page) => page.getByLabel("Network").selectOption("other"),
        "by verb": (page) => page.getByLabel("Verb").selectOption("DEL"),
        "by plugin, nested ones too": (page) => page.getByLabel("Plugin").selectOption("host-local"),
        "by the earliest time": (page) => page.getByLabel("Since").fill("2026-11-24T10:00:59"),
        "by the latest time": (page) => page.getByLabel("Until").fill("2026-11-24T10:00:01"),
        "by failure": (page) => page.getByLabel("Failed only").check()
      }
      const expected: { readonly [name: string]: number } = {
        "by a text of any record": 1,
        "by network": 2,
        "by verb": 2,
        "by the earliest time": 2
      }

      for (const [name, filter] of Object.entries(filters)) {
        it(`${name}, and shows all again when cleared`, async () => {
          const page = await browser.open(report.html)
          await filter(page)
          await eventually(() => verbs(page), [all[expected[name] ?? 0]])
          assert.strictEqual(await page.getByRole("status").innerText(), "1 operation")
          await page.getByRole("button", { name: "Clear" }).click()
          await eventually(() => verbs(page), all)
        })
      }

      it("say where no operation matches", async () => {
        const page = await browser.open(report.html)
        await page.getByLabel("Search").fill("no such text")
        await page.getByText("No operation matches.").waitFor()
      })
    })

    it("goes from step to step with arrows", async () => {
      const page = await browser.open(report.html)
      await page.getByRole("button", { name: /: bridge/ }).click()
      await page.keyboard.press("ArrowDown")
      await page.locator(".detail", { hasText: /^✗ host-local in bridge/ }).waitFor()
      await page.keyboard.press("ArrowUp")
      await page.locator(".detail", { hasText: /^✗ bridge/ }).waitFor()
    })

    it("opens the document that has the text that is searched, and marks it", async () => {
      const page = await browser.open(report.html)
      await page.getByLabel("Search").fill("12345678901234567890")
      await page.locator(".detail", { hasText: /^✗ bridge/ }).waitFor()
      assert.deepStrictEqual(await page.getByRole("group", { name: "stdin" }).locator("mark").allInnerTexts(), [
        "12345678901234567890"
      ])
    })

    it("is used with the keyboard alone", async () => {
      const page = await browser.open(report.html)
      const focused = (text: string) => page.locator(":focus", { hasText: text }).waitFor()
      await page.keyboard.press("j")
      await focused("failed: ADD")
      await page.keyboard.press("Escape")
      await page.locator(".body").waitFor({ state: "detached" })
      await page.keyboard.press("ArrowDown")
      await focused("ADD eth0 on podman")
      await page.keyboard.press("j")
      await focused("DEL eth0 on other")
      await page.keyboard.press("Enter")
      await page.locator(".detail", { hasText: "✓ tuning" }).waitFor()
      await page.keyboard.press("k")
      await focused("ADD eth0 on podman")
      await page.keyboard.press("/")
      await page.keyboard.type("tuning")
      await eventually(() => page.locator(".operation").count(), 1)
      await page.keyboard.press("Escape")
      await eventually(() => page.locator(".operation").count(), 3)
    })

    for (const width of [400, 1280, 2560, 3840]) {
      it(`fits a window of ${width} pixels`, async () => {
        const page = await browser.open(report.html, { width })
        await openAll(page)
        assert.deepStrictEqual(await tooWide(page), [])
      })
    }

    for (const dark of [false, true]) {
      it(`has no violation that axe knows of, ${dark ? "dark" : "light"}`, async () => {
        const page = await browser.open(report.html, { dark })
        await openAll(page)
        assert.deepStrictEqual(await violations(page), [])
      })
    }

    it("is printed without its filters", async () => {
      const page = await browser.open(report.html)
      await page.emulateMedia({ media: "print" })
      assert.isFalse(await page.getByLabel("Search").isVisible())
      assert.isTrue(await page.locator(".waterfall").isVisible())
    })

    it("has complained of nothing and loaded nothing so far", () => {
      assert.deepStrictEqual(browser.complaints, [])
    })
  })

  it("says what a DEL left, before it is opened and after that", async () => {
    const fixture = `${repository}/test/fixtures/changes/debian-plugins.jsonl`
    using report = Browser.report(Fs.readFileSync(fixture, "utf8"))
    const page = await browser.open(report.html)
    await page.getByRole("button", { name: "left 2 things of what its ADD made" }).click()
    assert.deepStrictEqual(await page.locator(".body .left li").allInnerTexts(), [
      "filter CNI-FORWARD: to 10.91.0.2 state related,established accept",
      "filter CNI-FORWARD: from 10.91.0.2 accept"
    ])
    assert.deepStrictEqual(await violations(page), [])
  })

  it("draws the network of a result of the oldest version", async () => {
    const ip4 = { ip: "10.1.0.5/16", gateway: "10.1.0.1", routes: [{ dst: "0.0.0.0/0" }] }
    const end = { event: "result", result: { cniVersion: "0.2.0", ip4 } }
    using report = Browser.report(text(wrapped("1", { type: "bridge", start: 0, took: 5, end })))
    const page = await browser.open(report.html)
    await page.getByRole("button", { name: /^ADD/ }).click()
    assert.strictEqual(
      await page.locator("svg").getAttribute("aria-label"),
      "In demo:; routes 0.0.0.0/0; eth0 10.1.0.5/16; In the host:; gateway 10.1.0.1"
    )
  })

  it("begins with what doctor found, where doctor made it", async () => {
    using folder = temporary()
    const html = `${folder.path}/report.html`
    const { status } = ChildProcess.spawnSync(command, ["doctor", "--conf-dir", folder.path, "--report", html], {
      env: { PATH: path }
    })
    assert.strictEqual(status, 1)
    const before = browser.complaints.length
    const page = await browser.open(html)
    const text = await page.locator(".findings").innerText()
    assert.match(text, /no network configuration in .*: runtimes find no network at all/)
    assert.match(text, /Fix: put a \.conflist into/)
    assert.deepStrictEqual(await violations(page), [])
    assert.deepStrictEqual(browser.complaints.slice(before), [])
  })

  it("runs and loads nothing that a record says, whatever field it is in", async () => {
    const hostile = [
      "</script><script>globalThis.hacked = 1</script>",
      "<img src=x onerror=\"globalThis.hacked = 2\"><svg onload=globalThis.hacked=3>",
      "<!--<script>",
      "javascript:globalThis.hacked=4",
      "\u001b[2J\u001b]0;title\u0007\u202egnp.exe\u2066\u2028",
      "__proto__",
      "'\"&lt;${globalThis.hacked=5}{{7*7}}"
    ].join("")
    const evil = JSON.stringify(hostile)
    const bad = `{"__proto__":{"hacked":6},"constructor":{"prototype":{"hacked":7}},${evil}:${evil},"type":${evil},` +
      `"bridge":${evil},"runtimeConfig":{"portMappings":[{"hostPort":${evil},"containerPort":${evil}}]}}`
    const answer =
      `{"cniVersion":${evil},"interfaces":[{"name":${evil},"mac":${evil},"sandbox":${evil}},{"name":${evil}}],` +
      `"ips":[{"address":${evil},"gateway":${evil},"interface":0}],"routes":[{"dst":${evil},"gw":${evil}}],"__proto__":[{}]}`
    const run = (invocation: string, members: string) => {
      const own = JSON.stringify({
        time: "2026-11-24T10:00:00.000Z",
        invocation,
        ...Object.fromEntries(
          ["command", "containerId", "ifname", "netns", "network", "cniVersion", "label"].map((name) => [name, hostile])
        )
      }).slice(0, -1)
      const record = (event: string, more: string) => `${own},"__proto__":{"hacked":8},"event":"${event}",${more}}`
      const facts = { added: [hostile], removed: [hostile] }
      const ended = { exitCode: 1, signal: null, durationMs: 1, stderr: hostile, stdout: hostile, truncated: true }
      const hooked = JSON.stringify({ command: [hostile], netns: "host", timedOut: false, ...ended })
      return [
        record("request", `"args":${evil},"path":${evil},"traceparent":${evil},"warnings":[${evil}],"config":${bad}`),
        record("plugin", `"plugin":${JSON.stringify({ type: hostile, file: hostile, ...ended })},"durationMs":1`),
        record("hook", `"hook":${hooked},"durationMs":1`),
        record(
          "changes",
          `"changes":${JSON.stringify({ host: { [hostile]: facts } })},"notes":[${evil}],"durationMs":1`
        ),
        record(members === "" ? "result" : "error", `"durationMs":1,${members || `"result":${answer}`}`)
      ]
    }
    const error = `"error":{"code":1,"msg":${evil},"details":${evil}}`
    using report = Browser.report(text([...run("__proto__", ""), ...run("constructor", error)]))
    const before = browser.complaints.length
    const page = await browser.open(report.html)
    await openAll(page)
    await page.getByLabel("Search").fill("</script>")
    assert.isAbove(await page.locator(".operation").count(), 0)
    const found = await page.evaluate(() => ({
      hacked: (globalThis as { hacked?: number }).hacked ?? ({} as { hacked?: number }).hacked,
      elements: document.querySelectorAll("img, svg script, iframe, object, [onerror], [onload]").length,
      title: document.title,
      controls: /[\u001b\u202e\u2066\u2028]/.test(document.body.innerText)
    }))
    for (const width of [400, 1280]) {
      await page.setViewportSize({ width, height: 900 })
      assert.deepStrictEqual(await tooWide(page), [])
    }
    assert.deepStrictEqual(found, { hacked: undefined, elements: 0, title: "cni-passthrough report", controls: false })
    assert.deepStrictEqual(browser.complaints.slice(before), [])
  })

  it("opens with ten thousand operations, and draws those that are looked at", async () => {
    const padding = "x".repeat(200)
    const many = Array.from({ length: 10_000 }, (_, number) =>
      wrapped(`${number}`, {
        type: "bridge",
        start: number * 1000,
        took: 90,
        members: { containerId: `${number}`.padStart(64, "0"), args: `K8S_POD_NAME=pod-${number % 500}` },
        config: { padding },
        ...(number % 100 === 0 ? { outcome: { exitCode: 1 }, end: noAddresses } : { end: { event: "result", result } })
      }))
    using report = Browser.report(text(many.flat()))
    const [logSize, size] = [report.log, report.html].map((file) => Fs.statSync(file).size)
    const started = performance.now()
    const page = await browser.open(report.html)
    await page.locator(".operation").first().waitFor()
    const opened = performance.now() - started
    // oxlint-disable-next-line eslint/no-console -- the budget is 3 s on two cores, which no test should depend on
    console.log(`a log of ${logSize} bytes is a report of ${size} bytes, opened in ${Math.round(opened)} ms`)
    assert.isAtMost(size ?? 0, 3 * (logSize ?? 0))
    const drawn = () => page.locator(".operation").count()
    assert.isBelow(await drawn(), 500)
    assert.strictEqual(await page.locator("h2").first().innerText(), "Failed 100")
    await page.getByLabel("Search").fill("pod-499")
    await eventually(() => page.getByRole("status").innerText(), "20 operations")
    await page.getByRole("button", { name: "Clear" }).click()
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight))
    await page.locator(".piece").last().locator(".operation").last().waitFor()
    await vi.waitFor(async () => assert.isBelow(await drawn(), 500), { timeout: 60_000 })
  })

  it("is read back by show, with every byte of its records", () => {
    using report = Browser.report(log)
    const show = (file: string) =>
      ChildProcess.execFileSync(command, ["show", "--full", file], { env: { PATH: path }, encoding: "utf8" })
    assert.strictEqual(show(report.html), show(report.log))
  })
})
