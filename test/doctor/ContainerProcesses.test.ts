/** Which processes are at work for containers. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ContainerProcesses from "../../src/doctor/facts/ContainerProcesses.ts"
import * as Fake from "./fake.ts"
import * as Host from "./host.ts"

interface Process {
  readonly exe?: string
  readonly args?: ReadonlyArray<string>
  readonly env?: string
  readonly comm?: string
  readonly parent?: number
}

const filesOf = (pid: number, { args, comm, env, exe, parent }: Process): Fake.Files => ({
  [`/proc/${pid}/stat`]: `${pid} (a) b) (c) S ${parent ?? 1} 1 1 0`,
  ...(exe === undefined ? {} : { [`/proc/${pid}/exe`]: `-> ${exe}` }),
  ...(args === undefined ? {} : { [`/proc/${pid}/cmdline`]: `${args.join("\0")}\0` }),
  ...(env === undefined ? {} : { [`/proc/${pid}/environ`]: `PATH=/bin\0${env}\0` }),
  ...(comm === undefined ? {} : { [`/proc/${pid}/comm`]: `${comm}\n` })
})

/** Numbers that no process of a host has, so that this one is none of them. */
const [first, second] = [9_000_001, 9_000_002] as const
const own = globalThis.process.pid

/** The process at work for the container `web`, where these processes run. */
const atWork = (processes: { readonly [pid: number]: Process }, containerId = "web") =>
  Effect.gen(function*() {
    const found = yield* ContainerProcesses.list()
    const process = ContainerProcesses.of(found, containerId)
    return process === undefined ? undefined : ContainerProcesses.inWords(process)
  }).pipe(Effect.provide(
    Fake.host({
      files: Object.assign({}, ...Object.entries(processes).map(([pid, process]) => filesOf(Number(pid), process)))
    }).layer
  ))

describe("a process is at work for a container", () => {
  const cases: { readonly [what: string]: readonly [process: Process, name: string] } = {
    "that is a plugin with its identifier in CNI_CONTAINERID": [
      { exe: "/opt/cni/bin/bridge", env: "CNI_CONTAINERID=web", comm: "bridge" },
      "bridge"
    ],
    "that is a shim with its identifier among its arguments": [
      {
        exe: "/usr/bin/containerd-shim-runc-v2",
        args: ["containerd-shim-runc-v2", "-id", "web"],
        comm: "containerd-shim"
      },
      "containerd-shim"
    ],
    "that is conmon, whose file was replaced": [
      { exe: "/usr/bin/conmon (deleted)", args: ["conmon", "-c", "web"] },
      "conmon"
    ],
    "that is the copy which runc starts of itself": [
      { exe: "/memfd:runc_cloned:/proc/self/exe (deleted)", args: ["runc", "create", "web"] },
      "runc"
    ],
    "that calls itself a runtime, where its executable may not be seen": [
      { args: ["/usr/bin/conmon", "-c", "web"] },
      "conmon"
    ]
  }
  for (const [what, [process, name]] of Object.entries(cases)) {
    it.effect(what, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* atWork({ [first]: process }), `process ${first} (${name}) is working for it`)
      }))
  }
})

describe("no process is at work for a container", () => {
  const shell = { exe: "/usr/bin/bash", args: ["bash", "-c", "ip netns del web; cni-passthrough leaks"] }
  const cases: { readonly [what: string]: { readonly [pid: number]: Process } } = {
    "that only has its identifier among its arguments": { [first]: shell },
    "that calls itself a runtime, and is none": { [first]: { exe: "/usr/bin/sleep", args: ["conmon", "-c", "web"] } },
    "that is a plugin for a container with a longer name": { [first]: { env: "CNI_CONTAINERID=web-1" } },
    "that has it in another variable": { [first]: { env: "XCNI_CONTAINERID=web\0CNI_CONTAINERIDX=web" } },
    "that started this command": {
      [own]: { parent: first },
      [first]: { exe: "/usr/bin/podman", args: ["podman", "run", "web"], env: "CNI_CONTAINERID=web", parent: second },
      [second]: { exe: "/usr/bin/podman", args: ["podman", "run", "web"], env: "CNI_CONTAINERID=web" }
    },
    "that is this command": { [own]: { exe: "/usr/bin/podman", args: ["web"], env: "CNI_CONTAINERID=web" } },
    "that this command started": {
      [first]: { env: "CNI_CONTAINERID=web", parent: second },
      [second]: { env: "CNI_CONTAINERID=web", parent: own }
    }
  }
  for (const [what, processes] of Object.entries(cases)) {
    it.effect(what, () =>
      Effect.gen(function*() {
        assert.isUndefined(yield* atWork(processes))
      }))
  }
})

describe("among the arguments of a runtime", () => {
  it("a container is named by its whole name, or by a part of a word where that is long", () => {
    const cases: ReadonlyArray<readonly [args: string, id: string, isNamed: boolean]> = [
      ["conmon\0-c\0web\0", "web", true],
      ["web", "web", true],
      ["my-web", "web", false],
      ["web-1", "web", false],
      ["web.1", "web", false],
      ["1.web", "web", false],
      ["webserver", "web", false],
      ["x/web/y", "web", true],
      ["wXb", "w.b", false],
      ["libpod-0123456789ab.scope", "0123456789ab", true],
      ["libpod-0123456789a.scope", "0123456789a", false],
      ["anything", "", false]
    ]
    for (const [args, id, expected] of cases) {
      const isNamed = ContainerProcesses.of([Host.process({ args, containerId: "" })], id) !== undefined
      assert.strictEqual(isNamed, expected, `${id} in ${args}`)
    }
  })
})

describe("the attachments that plugins are at work for", () => {
  it.effect("are those of their variables", () =>
    Effect.gen(function*() {
      const { layer } = Fake.host({
        files: {
          "/proc/1/environ": "A=1\0CNI_CONTAINERID=c4\0CNI_IFNAME=net1\0",
          "/proc/2/environ": "CNI_CONTAINERID=c5\0CNI_IFNAME=\0",
          "/proc/3/environ": "XCNI_CONTAINERID=c6\0CNI_CONTAINERIDX=c7\0CNI_IFNAME=eth0\0",
          "/proc/self/environ": "CNI_CONTAINERID=c8\0CNI_IFNAME=eth0\0",
          "/proc/4/cmdline": ""
        }
      })
      assert.deepStrictEqual(yield* Effect.provide(ContainerProcesses.attachments(), layer), [
        { containerID: "c4", ifname: "net1" }
      ])
    }))

  it.effect("are also those of a plugin that runs this command, so that GC spares its container", () =>
    Effect.gen(function*() {
      const { layer } = Fake.host({
        files: {
          ...filesOf(own, { parent: first }),
          ...filesOf(first, { env: "CNI_CONTAINERID=web\0CNI_IFNAME=eth0" })
        }
      })
      assert.deepStrictEqual(yield* Effect.provide(ContainerProcesses.attachments(), layer), [
        { containerID: "web", ifname: "eth0" }
      ])
    }))
})
