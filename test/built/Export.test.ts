/** Spans and metrics of the built command, at a collector and a parser that are not ours. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { failingIpam, lines, runs, runtimeSpan, time, traced, traceId } from "../export/records.ts"
import { wrapped } from "../operations/records.ts"
import * as Otlp from "../support/otlp.ts"
import { attachment, command, isStandalone, path, plugin, temporary } from "../support/plugin.ts"
import * as Prometheus from "../support/prometheus.ts"
import { describeInOneForm } from "../support/requirements.ts"
import * as Scripts from "../support/scripts.ts"
import { until } from "../support/until.ts"

const env = { PATH: path, UV_THREADPOOL_SIZE: "1" }

/** Starts the command. `ended` is how it ended. */
const start = (args: ReadonlyArray<string>, more: { readonly [name: string]: string } = {}, file = command) => {
  const child = ChildProcess.spawn(file, args, { env: { ...env, ...more }, stdio: ["ignore", "pipe", "pipe"] })
  const output = { stdout: "", stderr: "" }
  child.stdout.on("data", (chunk: Buffer) => output.stdout += chunk)
  child.stderr.on("data", (chunk: Buffer) => output.stderr += chunk)
  const ended = new Promise<number | null>((resolve) => child.on("close", (status) => resolve(status)))
  return { child, output, ended }
}

/** Runs the command to its end. */
const run = async (args: ReadonlyArray<string>, more?: { readonly [name: string]: string }) => {
  const { ended, output } = start(args, more)
  return { status: await ended, ...output }
}

/** A log with these records. */
const logOf = (records: ReadonlyArray<object>) => {
  const folder = temporary()
  const log = Path.join(folder.path, "log.jsonl")
  Fs.writeFileSync(log, lines(records))
  return { path: folder.path, log, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

const failing = ["✗ ADD eth0 on podman", ["✗ multus", ["✗ bridge", "✗ host-local"]]]

describe("a failing IPAM plugin inside bridge inside multus", () => {
  for (const protocol of ["http/protobuf", "http/json"]) {
    it(`arrives as a tree of spans, by ${protocol}`, async () => {
      using log = logOf(failingIpam())
      using collector = await Otlp.collector()
      const { status, stderr, stdout } = await run(["export", log.log, "--otlp", collector.url], {
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol
      })
      assert.deepStrictEqual({ status, stderr }, { status: 0, stderr: "" })
      assert.strictEqual(stdout, `sent 4 spans of 1 operations to ${collector.url}/v1/traces\n`)
      assert.deepStrictEqual(Otlp.tree(collector.spans), [failing])
      const ipam = collector.spans.find(({ name }) => name === "host-local")
      assert.deepInclude(ipam, {
        spanId: runs.hostLocal,
        parentSpanId: runs.bridge,
        kind: "SPAN_KIND_INTERNAL",
        start: time(20),
        end: time(50),
        status: { code: "STATUS_CODE_ERROR", message: "no addresses" }
      })
      assert.deepInclude(ipam?.attributes, { "error.type": "11", "process.exit.code": 1, "k8s.pod.name": "web" })
      assert.deepInclude(ipam?.resource, { "service.name": "cni-passthrough" })
      const bridge = collector.spans.find(({ name }) => name === "bridge")
      assert.deepStrictEqual(bridge?.events.map(({ name, time }) => [name, time]), [
        ["changes", time(92)],
        ["hook", time(91)]
      ])
    })
  }

  it("arrives below the span of the runtime that sent one", async () => {
    using log = logOf(failingIpam(traced))
    using collector = await Otlp.collector()
    assert.strictEqual((await run(["export", log.log, "--otlp", collector.url])).status, 0)
    assert.deepStrictEqual(Otlp.tree(collector.spans, runtimeSpan), [failing])
    for (const span of collector.spans) assert.deepInclude(span, { traceId, traceState: "vendor=1" })
  })

  it("is one trace, however often it is sent", async () => {
    using log = logOf(failingIpam())
    using collector = await Otlp.collector()
    for (const _ of [1, 2]) await run(["export", log.log, "--otlp", collector.url])
    assert.lengthOf(collector.spans, 8)
    assert.strictEqual(new Set(collector.spans.map(({ spanId, traceId }) => `${traceId} ${spanId}`)).size, 4)
  })
})

describe("the environment", () => {
  it("names the collector, headers and what the spans are of", async () => {
    using log = logOf(failingIpam())
    using collector = await Otlp.collector()
    const { status } = await run(["export", log.log], {
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/base/`,
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic%20YTpi,x-scope=a",
      OTEL_RESOURCE_ATTRIBUTES: "k8s.node.name=node-1,service.name=edge%20cni"
    })
    assert.strictEqual(status, 0)
    const [request] = collector.requests
    assert.deepInclude(request, { path: "/base/v1/traces", authorization: "Basic YTpi", "x-scope": "a" })
    assert.doesNotHaveAnyKeys(request, ["traceparent", "b3"])
    assert.deepInclude(collector.spans[0]?.resource, { "k8s.node.name": "node-1", "service.name": "edge cni" })
  })

  it("and the command line have to name a place", async () => {
    const { status, stderr } = await run(["export", "/dev/null"])
    assert.strictEqual(status, 2)
    assert.match(stderr, /^error: give --otlp, --prometheus or both/)
  })
})

describe("a collector that does not take spans", () => {
  it("is told, with status 1, where it refuses them", async () => {
    using log = logOf(failingIpam())
    using collector = await Otlp.collector(() => 401)
    const { status, stderr } = await run(["export", log.log, "--otlp", collector.url])
    assert.strictEqual(status, 1)
    assert.include(stderr, `${collector.url}/v1/traces answers 401`)
    assert.lengthOf(collector.requests, 1)
  })

  // The standalone form's engine needs more memory from the beginning.
  if (isStandalone) return

  it("half of the time gets all of 10,000 operations, which need at most 150 MiB", async () => {
    const records = Array.from({ length: 10_000 }, (_, index) => {
      const id = (digit: number) => `${digit}${index.toString(16).padStart(15, "0")}`
      const members = { containerId: id(0).repeat(4) }
      return [
        ...wrapped(id(1), { type: "bridge", start: 100 * index, took: 40, members }),
        ...wrapped(id(2), {
          type: "host-local",
          start: 100 * index + 1,
          took: 10,
          members: { ...members, parent: id(1) }
        }),
        ...wrapped(id(3), { type: "portmap", start: 100 * index + 50, took: 20, members })
      ]
    }).flat()
    using log = logOf(records)
    let peak = 0
    const running: { pid?: number | undefined } = {}
    using collector = await Otlp.collector((count) => {
      const status = Fs.readFileSync(`/proc/${running.pid}/status`, "utf8")
      peak = Math.max(peak, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024)
      return count % 2 === 0 ? (count % 4 === 0 ? 503 : "hang up") : 200
    })
    const { child, ended, output } = start(["export", log.log, "--otlp", collector.url])
    running.pid = child.pid
    assert.strictEqual(await ended, 0, output.stderr)
    assert.strictEqual(new Set(collector.spans.map(({ spanId, traceId }) => `${traceId} ${spanId}`)).size, 40_000)
    assert.isAtMost(peak, 150)
    assert.lengthOf(output.stderr.trim().split("\n"), 1, output.stderr)
  })
})

/** A folder of plugins in which multus starts bridge, and bridge host-local, which fails. */
const chain = () => {
  const root = temporary()
  const folder = Path.join(Fs.realpathSync(root.path), "bin")
  Fs.mkdirSync(folder)
  for (const file of [command, plugin]) Fs.copyFileSync(file, Path.join(root.path, Path.basename(file)))
  const calls = (inner: string) => `$CNI_PATH/${inner}; exit 1`
  Scripts.script(`${folder}/multus`, calls("bridge"))
  Scripts.script(
    `${folder}/host-local`,
    `cat >/dev/null; echo '{"cniVersion":"1.0.0","code":11,"msg":"no addresses"}'; exit 1`
  )
  const ownSpan = `
const [, traceId, parentSpanId] = process.env.TRACEPARENT.split("-")
const now = Date.now() + "000000"
const span = { traceId, parentSpanId, spanId: "00000000000000ff", name: "own", kind: 1, startTimeUnixNano: now, endTimeUnixNano: now }
fetch(process.env.COLLECTOR + "/v1/traces", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ resourceSpans: [{ resource: {}, scopeSpans: [{ spans: [span] }] }] })
})`
  Fs.writeFileSync(`${folder}/own.cjs`, ownSpan)
  Scripts.script(
    `${folder}/bridge`,
    `if [ -n "$COLLECTOR" ]; then "${process.execPath}" "$CNI_PATH/own.cjs"; fi; ${calls("host-local")}`
  )
  return {
    path: root.path,
    folder,
    log: Path.join(root.path, "log.jsonl"),
    command: Path.join(root.path, "cni-passthrough"),
    /** Calls the outermost plugin, as a runtime does. */
    call: (more: { readonly [name: string]: string } = {}) =>
      new Promise<string>((resolve) => {
        const child = ChildProcess.spawn(`${folder}/multus`, {
          env: { ...env, ...attachment, CNI_PATH: folder, CNI_COMMAND: "ADD", ...more },
          stdio: ["pipe", "pipe", "inherit"]
        })
        let stdout = ""
        child.stdout.on("data", (chunk) => stdout += chunk)
        child.on("close", () => resolve(stdout))
        child.stdin.end(`{"cniVersion":"1.0.0","name":"pods","type":"multus"}`)
      }),
    [Symbol.dispose]: () => root[Symbol.dispose]()
  }
}

describeInOneForm("wrapped plugins", () => {
  it("have spans below the runtime's, and a span that a plugin makes itself is below that plugin", async () => {
    using host = chain()
    using collector = await Otlp.collector()
    const folder = ["--dir", host.folder]
    await start(["wrap", ...folder, "--log", host.log], {}, host.command).ended
    assert.include(await host.call({ TRACEPARENT: traced.traceparent, COLLECTOR: collector.url }), "no addresses")
    await start(["unwrap", ...folder], {}, host.command).ended
    assert.strictEqual((await run(["export", host.log, "--otlp", collector.url])).status, 0)
    assert.deepStrictEqual(Otlp.tree(collector.spans, runtimeSpan), [
      ["✗ ADD eth0 on pods", ["✗ multus", ["✗ bridge", "own", "✗ host-local"]]]
    ])
    assert.deepStrictEqual([...new Set(collector.spans.map((span) => span.traceId))], [traceId])
  })
})

describeInOneForm("wrap --follow", () => {
  const stay = (host: ReturnType<typeof chain>, ...args: ReadonlyArray<string>) =>
    start(["wrap", "--follow", "--dir", host.folder, "--log", host.log, ...args], {}, host.command)

  const bytes = (host: ReturnType<typeof chain>) => Fs.readFileSync(`${host.folder}/multus`, "utf8")

  it("sends spans and gives metrics of what happens", async () => {
    using host = chain()
    using collector = await Otlp.collector()
    const metrics = Path.join(host.path, "cni.prom")
    const { child, ended, output } = stay(host, "--otlp", collector.url, "--prometheus", metrics)
    await until("plugins are wrapped", () => output.stdout.includes("wrapped "))
    await host.call()
    await until("spans arrive", () => collector.spans.length > 0)
    const wrapped = () =>
      Prometheus.parse(Fs.readFileSync(metrics, "utf8")).value("cni_passthrough_wrapped_plugins", {
        folder: host.folder
      })
    await until("plugins are counted", () => wrapped() === 3)
    child.kill("SIGTERM")
    assert.strictEqual(await ended, 0, output.stderr)
    assert.strictEqual(wrapped(), 0)
    assert.deepStrictEqual(Otlp.tree(collector.spans), [["✗ ADD eth0 on pods", ["✗ multus", [
      "✗ bridge",
      "✗ host-local"
    ]]]])
    const { value } = Prometheus.parse(Fs.readFileSync(metrics, "utf8"))
    const labels = { plugin: "bridge", parent: "multus", command: "ADD", network: "pods", outcome: "failed" }
    assert.strictEqual(value("cni_plugin_operations_total", labels), 1)
    assert.strictEqual(Fs.statSync(metrics).mode & 0o777, 0o644)
  })

  const dead: { readonly [name: string]: "nothing" | "hang up" } = {
    "never answers": "nothing",
    "hangs up": "hang up"
  }
  for (const [name, answer] of Object.entries(dead)) {
    it(`shows calls and unwraps as without it where the collector ${name}, and tells that once`, async () => {
      using host = chain()
      using collector = await Otlp.collector(() => answer)
      const before = bytes(host)
      const { child, ended, output } = stay(host, "--otlp", collector.url)
      await until("plugins are wrapped", () => output.stdout.includes("wrapped "))
      await host.call()
      await host.call({ CNI_CONTAINERID: "container-2" })
      await until("both calls are shown", () => output.stdout.match(/^ADD eth0/gm)?.length === 2)
      await until("the collector is asked", () => collector.requests.length > 0)
      child.kill("SIGTERM")
      assert.strictEqual(await ended, 0)
      assert.strictEqual(bytes(host), before)
      assert.include(output.stdout, "unwrapped")
      const told = output.stderr.split("\n").filter((line) => line.includes(collector.url))
      assert.match(told.at(-1) ?? "", /^\d+ spans were not sent to /)
      assert.isAtMost(told.length, 2)
    })
  }

  it("begins nothing where it cannot listen", async () => {
    using host = chain()
    using collector = await Otlp.collector()
    const before = bytes(host)
    const port = new URL(collector.url).port
    const { ended, output } = stay(host, "--prometheus", `:${port}`)
    assert.strictEqual(await ended, 2)
    assert.include(output.stderr, `cannot listen on 127.0.0.1:${port}: the port is in use`)
    assert.strictEqual(bytes(host), before)
  })
})

describe("metrics", () => {
  const scrape = async (url: string) => Prometheus.parse(await (await fetch(url)).text())

  it("of a log are served on loopback until the command is stopped", async () => {
    using log = logOf(failingIpam())
    const { child, ended, output } = start(["export", log.log, "--prometheus", ":0"])
    await until("metrics are served", () => output.stdout.includes("\n"))
    const [url = ""] = /http:\S+/.exec(output.stdout) ?? []
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/metrics$/)
    const { value } = await scrape(url)
    assert.strictEqual(value("cni_operation_duration_seconds_count", { command: "ADD", network: "podman" }), 1)
    assert.strictEqual((await fetch(url.replace("metrics", "else"))).status, 404)
    assert.strictEqual((await fetch(url, { method: "POST" })).status, 405)
    child.kill("SIGTERM")
    await ended
  })

  it("of a log that is followed grow with it", async () => {
    using log = logOf(failingIpam())
    const { child, ended, output } = start(["export", log.log, "--follow", "--prometheus", "[::1]:0"])
    await until("metrics are served", () => output.stderr.includes("/metrics"))
    const [url = ""] = /http:\S+/.exec(output.stderr) ?? []
    assert.match(url, /^http:\/\/\[::1\]:/)
    const count = async () =>
      (await scrape(url)).value("cni_operation_duration_seconds_count", { command: "ADD", network: "podman" })
    await until("the first operation is counted", async () => await count() === 1)
    const others = failingIpam().map((record) => {
      const { invocation, parent } = record as { readonly invocation: string; readonly parent?: string }
      const other = (id: string) => id.replace("a", "b")
      return {
        ...record,
        containerId: "another",
        invocation: other(invocation),
        ...(parent === undefined ? {} : { parent: other(parent) })
      }
    })
    Fs.appendFileSync(log.log, lines(others))
    await until("the second operation is counted", async () => await count() === 2)
    child.kill("SIGTERM")
    await ended
  })

  it("replace a file as a whole", async () => {
    using log = logOf(failingIpam())
    const file = Path.join(log.path, "cni.prom")
    Fs.writeFileSync(file, "stale 1\n")
    const inode = Fs.statSync(file).ino
    const { status, stdout } = await run(["export", log.log, "--prometheus", file])
    assert.deepStrictEqual([status, stdout], [0, `wrote ${file}\n`])
    assert.notStrictEqual(Fs.statSync(file).ino, inode)
    const { families } = Prometheus.parse(Fs.readFileSync(file, "utf8"))
    assert.isFalse(families.some(({ name }) => name === "stale"))
  })
})
