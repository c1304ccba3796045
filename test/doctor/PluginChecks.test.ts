/** What plugins need of the host, and what they are on it. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Check } from "../../src/doctor/Check.ts"
import { pluginFile } from "../../src/doctor/checks/PluginFile.ts"
import * as PluginNeeds from "../../src/doctor/checks/PluginNeeds.ts"
import { pluginVersions } from "../../src/doctor/checks/PluginVersions.ts"
import type * as FactsModule from "../../src/doctor/Facts.ts"
import * as Facts from "./facts.ts"
import * as Host from "./host.ts"

type Said = string | ReadonlyArray<ReadonlyArray<string>>

/** The facts of a network of these plugins on the healthy host. */
const of = (
  plugins: ReadonlyArray<object>,
  host: Partial<FactsModule.Host> = {},
  more: Partial<FactsModule.Facts> = {}
) => {
  const healthy = Host.facts({ host })
  return {
    ...Facts.ofFile({ cniVersion: "1.0.0", name: "n", plugins }),
    host: healthy.host,
    ...more
  }
}

const specify = (check: Check, cases: ReadonlyArray<readonly [what: string, facts: FactsModule.Facts, said: Said]>) => {
  for (const [what, facts, said] of cases) it(what, () => assert.deepStrictEqual(Facts.said(check, facts), said))
}

describe("the tools of a plugin", () => {
  const tools = (...names: ReadonlyArray<string>) => ({ tools: new Map(names.map((name) => [name, `/sbin/${name}`])) })
  const needs = (plugin: object, ...there: ReadonlyArray<string>) => {
    const said = Facts.said(PluginNeeds.pluginTools, of([plugin], tools(...there)))
    return typeof said === "string" ? said : said.map(([message]) => message).join()
  }
  const missing = (type: string, names: string) =>
    `error ${type} plugins[0].type: ${type} needs ${names}, which is not on the PATH`
  const cases: ReadonlyArray<readonly [plugin: object, names: string]> = [
    [{ type: "portmap" }, "iptables or nft"],
    [{ type: "portmap", backend: "iptables" }, "iptables"],
    [{ type: "portmap", backend: "nftables" }, "nft"],
    [{ type: "firewall" }, "iptables"],
    [{ type: "bridge", ipMasq: true }, "iptables"],
    [{ type: "ptp", ipMasq: true }, "iptables"],
    [{ type: "ptp", ipMasq: true, ipMasqBackend: "nftables" }, "nft"],
    [{ type: "bridge", ipMasq: true, ipMasqBackend: "nftables" }, "nft"]
  ]
  for (const [plugin, names] of cases) {
    const { type } = plugin as { readonly type: string }
    it(`are ${names} of ${JSON.stringify(plugin)}`, () => {
      assert.strictEqual(needs(plugin), missing(type, names))
      for (const name of names.split(" or ")) assert.strictEqual(needs(plugin, name), "")
      if (!names.includes("nft")) assert.strictEqual(needs(plugin, "nft"), missing(type, names))
      if (!names.includes("iptables")) assert.strictEqual(needs(plugin, "iptables"), missing(type, names))
    })
  }

  const none = [
    { type: "firewall", backend: "firewalld" },
    { type: "bridge" },
    { type: "bridge", ipMasq: "true" },
    { type: "macvlan", ipMasq: true },
    { type: "macvlan", ipam: { type: "portmap" } }
  ]
  for (const plugin of none) {
    it(`are none of ${JSON.stringify(plugin)}`, () => assert.strictEqual(needs(plugin), ""))
  }

  it("are looked for on the PATH", () => {
    const said = Facts.said(PluginNeeds.pluginTools, of([{ type: "portmap" }], tools()))
    assert.deepStrictEqual(said[0]?.slice(1), [`PATH=${process.env["PATH"] ?? ""}`])
  })

  specify(PluginNeeds.pluginTools, [
    ["are not looked for where the host was not", of([], {}, { host: undefined }), "the host was not looked at"]
  ])
})

describe("the link that a plugin stands on", () => {
  const down = Result.succeed({
    ...Host.outside,
    links: [Host.link("lo"), Host.link("uplink", { isUp: false, state: "DOWN" })]
  })
  const noDefault = { network: Result.succeed({ ...Host.outside, routes: Host.outside.routes.slice(1) }) }
  const macvlan = { type: "macvlan", master: "uplink" }
  const missing = (type: string, key: string, name: string, names = "uplink, cni0, veth1") => [
    [`error ${type} plugins[0].${key}: the host has no link ${name}, expected one of ${names}`]
  ]
  specify(PluginNeeds.masterLink, [
    ["is there", of([macvlan]), []],
    ["is not there", of([{ ...macvlan, master: "eth9" }]), missing("macvlan", "master", "eth9")],
    [
      "is not there, as no other is",
      of([macvlan], { network: Result.succeed({ ...Host.outside, links: [Host.link("lo")] }) }),
      missing("macvlan", "master", "uplink", "none")
    ],
    ["is down", of([macvlan], { network: down }), [
      ["error macvlan plugins[0].master: the link uplink of the host is down", "uplink: state DOWN"]
    ]],
    ["of ipvlan is down", of([{ type: "ipvlan", master: "uplink" }], { network: down }), [
      ["error ipvlan plugins[0].master: the link uplink of the host is down", "uplink: state DOWN"]
    ]],
    ["of a plugin that stands on none is not asked for", of([{ type: "bridge", master: "eth9" }]), []],
    ["of an IPAM plugin is not asked for", of([{ type: "bridge", ipam: { type: "macvlan", master: "eth9" } }]), []],
    ["is one of the container", of([{ ...macvlan, master: "eth9", linkInContainer: true }]), []],
    ["is told by the default route", of([{ type: "macvlan", ipam: {} }]), []],
    ["is told by no default route", of([{ type: "macvlan", master: "", ipam: {} }], noDefault), [
      ["error macvlan plugins[0].master: found no master, and the host has no default route that would tell one"]
    ]],
    [
      "is told by no default route of another table",
      of([{ type: "ipvlan", ipam: {} }], {
        network: Result.succeed({ ...Host.outside, routes: [Host.route("0.0.0.0/0", "uplink", { table: "7" })] })
      }),
      [["error ipvlan plugins[0].master: found no master, and the host has no default route that would tell one"]]
    ],
    ["need not be told without ipam", of([{ type: "macvlan" }], noDefault), []],
    ["of vlan is always to be told", of([{ type: "vlan" }]), [
      ["error vlan plugins[0].master: found no master, expected the name of a link"]
    ]],
    [
      "of host-device is its device",
      of([{ type: "host-device", device: "eth9" }]),
      missing("host-device", "device", "eth9")
    ],
    ["of host-device may be told otherwise", of([{ type: "host-device", hwaddr: "02:00:00:00:00:01" }], noDefault), []],
    ["of host-device may be down", of([{ type: "host-device", device: "uplink" }], { network: down }), []],
    [
      "of host-device is in the container by then",
      of([{ type: "host-device", device: "eth9" }], {}, {
        attachments: [Host.attachment()]
      }),
      []
    ],
    [
      "is not known where the links of the host are not",
      of([macvlan], { network: Result.fail("no ip") }),
      "the links of the host are not known"
    ],
    [
      "is not known where the host is not",
      of([macvlan], {}, { host: undefined }),
      "the links of the host are not known"
    ]
  ])
})

describe("the daemon of dhcp", () => {
  const dhcp = (fields: object = {}) => [{ type: "macvlan", ipam: { type: "dhcp", ...fields } }]
  const missing = (socket: string) => [
    [`error dhcp plugins[0].ipam.type: dhcp needs its daemon, and there is no socket ${socket}`]
  ]
  specify(PluginNeeds.dhcpDaemon, [
    ["is there", of(dhcp(), { files: new Set(["/run/cni/dhcp.sock"]) }), []],
    ["is not there", of(dhcp()), missing("/run/cni/dhcp.sock")],
    [
      "is not where the configuration says",
      of(dhcp({ daemonSocketPath: "/run/own" }), { files: new Set(["/run/cni/dhcp.sock"]) }),
      missing("/run/own")
    ],
    [
      "is where the configuration says",
      of(dhcp({ daemonSocketPath: "/run/own" }), { files: new Set(["/run/own"]) }),
      []
    ],
    ["is not needed by another", of([{ type: "bridge" }]), []],
    ["is not looked for where the host was not", of(dhcp(), {}, { host: undefined }), "the host was not looked at"]
  ])
})

describe("the files of a plugin", () => {
  specify(PluginNeeds.pluginFiles, [
    ["are not looked for where the host was not", of([], {}, { host: undefined }), "the host was not looked at"],
    [
      "are named by their fields, or by its type",
      of([{ type: "flannel", subnetFile: "" }, { type: "flannel", subnetFile: "/s" }]),
      [
        ["warning flannel plugins[0].type: flannel opens /run/flannel/subnet.env, which is not there: flanneld on this host writes it"],
        ["warning flannel plugins[1].subnetFile: flannel opens /s, which is not there: flanneld on this host writes it"]
      ]
    ]
  ])
})

describe("the file of a plugin", () => {
  const fact = (fields: Parameters<typeof Facts.plugin>[1], more: Partial<FactsModule.Facts> = {}) =>
    of([{ type: "bridge" }], { machine: 62 }, {
      cniPath: ["/opt/cni/bin", "/usr/lib/cni"],
      known: [],
      plugins: new Map([Facts.plugin("bridge", fields)]),
      ...more
    })
  const file = "/opt/cni/bin/bridge"
  const none = (kind: "folder" | "dangling" | "other") => fact({ file: undefined, candidates: [{ path: file, kind }] })
  const error = "error bridge plugins[0].type:"
  const elf = (machine: number) => ({ format: { _tag: "Elf", machine, interpreter: undefined } }) as const
  specify(pluginFile, [
    ["is right", fact({}), []],
    ["is not looked for", fact({}, { plugins: new Map() }), "no plugins were looked for"],
    [
      "is not known",
      of([{ type: "other" }], {}, { plugins: new Map([Facts.plugin("bridge", { file: undefined })]) }),
      []
    ],
    ["is not there", fact({ file: undefined, candidates: [] }), [
      [`${error} the plugin bridge is not in /opt/cni/bin:/usr/lib/cni`]
    ]],
    ["is a folder", none("folder"), [[`${error} ${file} is a folder, expected the plugin`, `${file}: folder`]]],
    ["is no regular file", none("other"), [[
      `${error} ${file} is not a regular file, expected the plugin`,
      `${file}: other`
    ]]],
    ["is a link to nothing", none("dangling"), [
      [`${error} ${file} is a symbolic link to a file that is not there`, `${file}: dangling`]
    ]],
    ["may not be executed", fact({ isExecutable: false }), [[
      `${error} ${file} has no execute bit: no runtime can start it`
    ]]],
    ["is empty", fact({ format: { _tag: "Other", start: "" } }), [[`${error} ${file} is empty`]]],
    ["is no program", fact({ format: { _tag: "Other", start: "echo \"x\"" } }), [[
      `${error} ${file} is neither a program nor a script that begins with "#!"`,
      "begins with \"echo \\\"x\\\"\""
    ]]],
    ["is for another processor", fact(elf(243)), [[`${error} ${file} is for riscv, and this host is x86-64`]]],
    ["is for one that is not known", fact(elf(9)), [[`${error} ${file} is for processor 9, and this host is x86-64`]]],
    [
      "is for any processor, where that of the host is not known",
      of([{ type: "bridge" }], { machine: undefined }, {
        plugins: new Map([Facts.plugin("bridge", elf(243))])
      }),
      []
    ],
    [
      "needs a program that is not there",
      fact({
        format: { _tag: "Elf", machine: 62, interpreter: "/lib/ld-musl.so" },
        hasInterpreter: false
      }),
      [[`${error} ${file} needs /lib/ld-musl.so, which is not there`]]
    ],
    [
      "is a script of a program that is not there",
      fact({
        format: { _tag: "Script", interpreter: "/bin/nosh", argument: "" },
        hasInterpreter: false
      }),
      [[`${error} ${file} needs /bin/nosh, which is not there`, "#!/bin/nosh"]]
    ],
    [
      "is a script with an argument, of a program that is not there",
      fact({
        format: { _tag: "Script", interpreter: "/bin/nosh", argument: "-x" },
        hasInterpreter: false
      }),
      [[`${error} ${file} needs /bin/nosh, which is not there`, "#!/bin/nosh -x"]]
    ],
    ["could not be read", fact({ format: undefined, hasInterpreter: false }), []]
  ])

  const machines = { 3: "x86", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 183: "arm64", 243: "riscv" }
  for (const [machine, name] of Object.entries(machines)) {
    it(`is for ${name}, by the number ${machine}`, () => {
      assert.deepStrictEqual(Facts.said(pluginFile, fact(elf(Number(machine)))), [
        [`${error} ${file} is for ${name}, and this host is x86-64`]
      ])
    })
  }

  it("is told once for each type, at its first place, and only under a name that a file can have", () => {
    const missing = (type: string) => Facts.plugin(type, { file: undefined, candidates: [] })
    const facts = of(
      [{ type: "mine" }, { type: "a b" }, { type: "x/y" }, { type: "mine" }, {
        type: "multus",
        delegates: [{ type: "mine" }, { type: "theirs" }]
      }],
      {},
      {
        cniPath: ["/bin"],
        plugins: new Map(["mine", "a b", "x/y", "theirs"].map(missing))
      }
    )
    assert.deepStrictEqual(Facts.said(pluginFile, facts), [
      ["error mine plugins[0].type: the plugin mine is not in /bin"],
      ["error theirs plugins[4].delegates[1].type: the plugin theirs is not in /bin"]
    ])
  })
})

describe("the versions of plugins", () => {
  const speaking = (
    cniVersion: string,
    versions: { readonly [type: string]: ReadonlyArray<string> | string | undefined }
  ) => {
    const types = Object.keys(versions)
    return {
      ...Facts.ofFile({ cniVersion, name: "n", plugins: types.map((type) => ({ type })) }),
      plugins: new Map(types.map((type) => {
        const said = versions[type]
        return Facts.plugin(type, {
          versions: said === undefined ? undefined : typeof said === "string" ? Result.fail(said) : Result.succeed(said)
        })
      }))
    }
  }
  const speaks = (at: number, type: string, versions: string, not: string) =>
    `error ${type} plugins[${at}].type: /opt/cni/bin/${type} speaks ${versions}, and not ${not}`
  specify(pluginVersions, [
    ["are right", speaking("1.0.0", { a: ["1.0.0"], b: ["0.4.0", "1.0.0"] }), []],
    ["are not known", speaking("1.0.0", {}), "no plugins were looked for"],
    [
      "are not known of a network that cannot be read",
      { ...speaking("1.0.0", { a: [] }), network: undefined },
      "no plugins were looked for"
    ],
    ["were not asked for", speaking("1.0.0", { a: undefined }), []],
    ["are not answered", speaking("1.0.0", { a: "exit status 3", b: ["1.0.0"] }), [
      ["error a plugins[0].type: /opt/cni/bin/a does not answer VERSION: exit status 3"]
    ]],
    ["are others", speaking("1.1.0", { a: ["0.4.0", "1.0.0"], b: ["1.1.0"] }), [[
      speaks(0, "a", "0.4.0, 1.0.0", "1.1.0")
    ]]],
    [
      "are others of several plugins, of which the first is told",
      speaking("1.1.0", { a: ["1.0.0"], b: ["1.1.0"], c: ["0.4.0"] }),
      [
        [speaks(0, "a", "1.0.0", "1.1.0"), speaks(2, "c", "0.4.0", "1.1.0").replace("error c ", "")]
      ]
    ],
    ["may be any where the network's is none", speaking("9.9.9", { a: ["1.0.0"] }), []]
  ])

  it("are asked for of a plugin that is there", () => {
    const facts = speaking("1.0.0", { a: "x" })
    const [name, fact] = Facts.plugin("a", { file: undefined, versions: Result.fail("x") })
    assert.deepStrictEqual(Facts.said(pluginVersions, { ...facts, plugins: new Map([[name, fact]]) }), [])
  })
})
