/** What the page makes of a report: groups, filters, and what its records have. */
import { assert, describe, it } from "@effect/vitest"
import type { Operation, Step } from "../../../../src/render/html/PageData.ts"

const id = "0123456789abcdef".repeat(4)

const records = [
  {
    event: "request",
    command: "ADD",
    containerId: id,
    args: "K8S_POD_NAME=web",
    config: { type: "bridge", note: "say \"Hi\"" }
  },
  { event: "hook", time: "2", hook: { stdout: "second", stderr: "e2" } },
  { event: "hook", time: "1", hook: { stdout: "first", stderr: "" } },
  { event: "plugin", plugin: { file: "/opt/cni/bin/bridge", stdout: "out", stderr: "err", truncated: true } },
  { event: "result", result: { cniVersion: "1.0.0" } },
  { event: "request", stdin: "not JSON", stdinBase64: "AA==" },
  { event: "error", error: { code: 1, msg: "no" } },
  {
    event: "request",
    traceparent: "00-1-2-01",
    tracestate: "vendor=1",
    baggage: "tenant=shop",
    path: "/opt/cni/bin",
    args: "A=1",
    ifname: "eth0",
    netns: "/run/netns/demo",
    containerId: "id",
    command: "ADD"
  }
].map((record) => JSON.stringify(record))

const step = (title: string, members: Partial<Step> = {}): Step => ({
  title,
  kind: "plugin",
  state: "done",
  ...members
})
const hour = (number: number) => `2026-11-24T1${number}:00:00.000Z`

const operations: ReadonlyArray<Operation> = [
  {
    command: "ADD",
    containerId: id,
    network: "pods",
    args: "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web",
    time: hour(0),
    hasFailed: false,
    steps: [step("bridge", { records: [0, 1, 2, 3, 4], nested: [step("host-local", { network: "inner" })] })]
  },
  {
    command: "DEL",
    containerId: "short",
    network: "other",
    time: hour(1),
    hasFailed: true,
    failure: "it broke",
    steps: [step("portmap", { records: [5, 6], state: "failed" })]
  },
  { command: "VERSION", time: hour(2), hasFailed: false, steps: [step("bridge")] },
  { command: "VERSION", time: hour(3), hasFailed: true, steps: [step("bridge")] },
  {
    command: "ADD",
    containerId: id,
    args: "K8S_POD_NAME=web",
    time: "never",
    hasFailed: false,
    steps: [step("bridge")]
  },
  {
    command: "CHECK",
    containerId: id,
    args: "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web",
    network: "",
    time: hour(4),
    hasFailed: false,
    steps: [step("bridge")]
  }
]

// The page has both in its document when its scripts run.
const embedded: { readonly [id: string]: string } = {
  report: JSON.stringify({ operations, findings: [] }),
  records: JSON.stringify(records)
}
Object.assign(globalThis, { document: { getElementById: (name: string) => ({ textContent: embedded[name] }) } })
const Model = await import("../../../../src/render/html/page/Model.ts")
const Runs = await import("../../../../src/render/html/page/Runs.ts")

const found = (filter: Partial<typeof Model.everything>) =>
  Model.matching({ ...Model.everything, ...filter }).map((entry) => entry.id)

describe("the operations of a page", () => {
  it("are those that the report has, by pod or container", () => {
    assert.deepStrictEqual(Model.entries.map(({ group }) => group), [
      "shop/web",
      "short",
      "no container",
      "no container",
      "web",
      "shop/web"
    ])
    assert.deepStrictEqual([Model.shortId(id), Model.shortId("short")], ["0123456789ab", "short"])
    assert.deepStrictEqual(Model.choices, {
      networks: ["inner", "other", "pods"],
      verbs: ["ADD", "CHECK", "DEL", "VERSION"],
      plugins: ["bridge", "host-local", "portmap"]
    })
    assert.deepStrictEqual(Model.findings, [])
  })

  it("are filtered by verb, where VERSION that went well is there by its name alone", () => {
    assert.deepStrictEqual(found({}), [0, 1, 3, 4, 5])
    assert.deepStrictEqual(found({ verb: "VERSION" }), [2, 3])
    assert.deepStrictEqual(found({ verb: "DEL" }), [1])
  })

  it("are filtered by failure, network and plugin, those inside others too", () => {
    assert.deepStrictEqual(found({ failed: true }), [1, 3])
    assert.deepStrictEqual(found({ network: "inner" }), [0])
    assert.deepStrictEqual(found({ network: "other" }), [1])
    assert.deepStrictEqual(found({ plugin: "host-local" }), [0])
    assert.deepStrictEqual(found({ plugin: "portmap", network: "pods" }), [])
  })

  it("are filtered by time, but for those that have none", () => {
    assert.deepStrictEqual(found({ since: hour(1) }), [1, 3, 4, 5])
    assert.deepStrictEqual(found({ until: hour(1) }), [0, 1, 4])
    assert.deepStrictEqual(found({ since: hour(2), until: hour(3) }), [3, 4])
  })

  it("are found by what their records, their failure and their group have, in any case", () => {
    assert.deepStrictEqual(found({ text: " OPT/cni " }), [0])
    assert.deepStrictEqual(found({ text: "say \"hi\"" }), [0])
    assert.deepStrictEqual(found({ text: "it broke" }), [1])
    assert.deepStrictEqual(found({ text: "SHOP" }), [0, 5])
    assert.deepStrictEqual(found({ text: "nowhere" }), [])
  })

  it("are listed with what failed first, and what is of one pod together", () => {
    const items = Model.itemsOf(Model.matching(Model.everything)).map((item) =>
      item.kind === "operation"
        ? item.entry.id
        : item.kind === "section"
        ? [item.title, item.count]
        : [item.title, item.id]
    )
    assert.deepStrictEqual(items, [
      ["Failed", 2],
      ["short", ""],
      1,
      ["no container", ""],
      3,
      ["Went well", 3],
      ["shop/web", "0123456789ab"],
      0,
      5,
      ["web", "0123456789ab"],
      4
    ])
    assert.deepStrictEqual(Model.itemsOf([]), [])
  })
})

describe("the step to look at first", () => {
  const title = (steps: ReadonlyArray<Step>, search = "") => Model.mostTelling(steps, search)?.title
  const inner = step("inner", { state: "failed" })

  it("is the innermost that failed, then one with a failed hook, then the first", () => {
    assert.strictEqual(title([step("a"), step("b", { state: "failed", nested: [inner] })]), "inner")
    assert.strictEqual(title([step("a"), step("b", { nested: [inner] })]), "inner")
    const hook = { command: "false", durationMs: 1 }
    assert.strictEqual(title([step("a"), step("b", { hooks: [{ ...hook, failure: "exit status 1" }] })]), "b")
    assert.strictEqual(title([step("a"), step("b", { hooks: [hook] })]), "a")
    assert.strictEqual(title([step("a"), step("b", { state: "unseen" })]), "a")
    assert.isUndefined(title([]))
  })

  it("is one that has what is searched before all others", () => {
    const steps = [step("a", { records: [5] }), step("b", { records: [3] }), step("c", { state: "failed" })]
    assert.strictEqual(title(steps, "opt/cni"), "b")
    assert.strictEqual(title(steps, "nowhere"), "c")
  })
})

describe("the run of a step", () => {
  it("has all that its records have, hooks in the order of time", () => {
    assert.deepStrictEqual(Runs.of(step("bridge", { records: [0, 1, 2, 3, 4] })), {
      file: "/opt/cni/bin/bridge",
      stdout: "out",
      stderr: "err",
      isTruncated: true,
      hooks: [{ stdout: "first", stderr: "" }, { stdout: "second", stderr: "e2" }],
      documents: [
        { name: "stdin", text: `{"type":"bridge","note":"say \\"Hi\\""}`, isJson: true },
        { name: "stdout", text: `{"cniVersion":"1.0.0"}`, isJson: true }
      ],
      environment: [["CNI_COMMAND", "ADD"], ["CNI_CONTAINERID", id], ["CNI_ARGS", "K8S_POD_NAME=web"]],
      lines: records.slice(0, 5).map((text) => `${text}\n`).join("")
    })
  })

  it("has stdin that is not JSON, and the error document", () => {
    const { documents, file, isTruncated } = Runs.of(step("portmap", { records: [5, 6] }))
    assert.deepStrictEqual([file, isTruncated], [undefined, false])
    assert.deepStrictEqual(documents, [
      { name: "stdin", text: "not JSON", isJson: false },
      { name: "stdin, in Base64", text: "AA==", isJson: false },
      { name: "error", text: `{"code":1,"msg":"no"}`, isJson: true }
    ])
  })

  it("has all variables of the protocol that its request has", () => {
    const { environment } = Runs.of(step("bridge", { records: [7] }))
    assert.deepStrictEqual(environment, [
      ["CNI_COMMAND", "ADD"],
      ["CNI_CONTAINERID", "id"],
      ["CNI_NETNS", "/run/netns/demo"],
      ["CNI_IFNAME", "eth0"],
      ["CNI_ARGS", "A=1"],
      ["CNI_PATH", "/opt/cni/bin"],
      ["TRACEPARENT", "00-1-2-01"],
      ["TRACESTATE", "vendor=1"],
      ["BAGGAGE", "tenant=shop"]
    ])
  })

  it("is empty where it has no records", () => {
    assert.deepStrictEqual(Runs.of(step("x")).documents, [])
    assert.strictEqual(Runs.of(step("x")).lines, "")
  })
})
