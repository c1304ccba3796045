/** Plugins of others, as far as their configurations and files tell. */
import { assert, describe, it } from "@effect/vitest"
import * as Checks from "../../src/doctor/Checks.ts"
import * as PluginNeeds from "../../src/doctor/checks/PluginNeeds.ts"
import * as ThirdParty from "../../src/doctor/plugins/ThirdParty.ts"
import * as Facts from "./facts.ts"
import * as Host from "./host.ts"

const network = (plugin: object) => Facts.ofFile({ cniVersion: "1.0.0", name: "n", plugins: [plugin] })

const messages = (plugin: object): ReadonlyArray<string> =>
  Facts.found(Checks.configuration, network(plugin))
    .map((line) => line.replace(/^(\S+) .*?\d:\d+ plugins\[0\]\./, "$1 "))

/** For each type a configuration that its plugin takes, and one with a field of another type. */
const samples: { readonly [type: string]: readonly [right: object, wrong: object, message: string] } = {
  antrea: [{ mtu: 1450 }, { mtu: "1450" }, `mtu: found "1450", expected a whole number, without quotes`],
  "aws-cni": [{ mtu: "9001", vethPrefix: "eni" }, { mtu: 9001 }, "mtu: found 9001, expected a string"],
  "azure-vnet": [
    { mode: "transparent", multiTenancy: false, ipam: { type: "azure-vnet-ipam" } },
    { multiTenancy: "no" },
    `multiTenancy: found "no", expected true or false`
  ],
  bond: [
    { mode: "active-backup", miimon: "100", links: [{ name: "net1" }, { name: "net2" }] },
    { miimon: 100 },
    "miimon: found 100, expected a string"
  ],
  calico: [
    { mtu: 0, log_level: "info", kubernetes: { kubeconfig: "/k" }, ipam: { type: "calico-ipam" } },
    { kubernetes: { kubeconfig: true } },
    "kubernetes.kubeconfig: found true, expected a string"
  ],
  "cilium-cni": [
    { "enable-debug": false, "log-file": "/var/run/cilium/cilium-cni.log" },
    { "enable-debug": "false" },
    `enable-debug: found "false", expected true or false`
  ],
  flannel: [{ delegate: { isDefaultGateway: true } }, { subnetFile: 1 }, "subnetFile: found 1, expected a string"],
  "istio-cni": [
    { ambient_enabled: true, exclude_namespaces: ["kube-system"] },
    { exclude_namespaces: "kube-system" },
    `exclude_namespaces: found "kube-system", expected a list of strings`
  ],
  "kube-ovn": [
    { server_socket: "/run/openvswitch/kube-ovn-daemon.sock" },
    { server_socket: 1 },
    "server_socket: found 1, expected a string"
  ],
  "linkerd-cni": [
    { linkerd: { "proxy-uid": 2102, "inbound-ports-to-ignore": ["4190"] } },
    { linkerd: { "proxy-uid": "2102" } },
    `linkerd.proxy-uid: found "2102", expected a whole number, without quotes`
  ],
  multus: [
    { namespaceIsolation: true },
    { namespaceIsolation: "x" },
    `namespaceIsolation: found "x", expected true or false`
  ],
  "ovn-k8s-cni-overlay": [{ logFile: "/l" }, { logFile: 1 }, "logFile: found 1, expected a string"],
  ovs: [
    { bridge: "br1", vlan: 100 },
    { vlan: "100" },
    `vlan: found "100", expected a whole number, at least 0, without quotes`
  ],
  sriov: [
    { deviceID: "0000:03:02.0", vlan: 100, spoofchk: "off" },
    { spoofchk: false },
    "spoofchk: found false, expected a string"
  ]
}

describe("the configuration of a plugin of others", () => {
  for (const [type, [right, wrong, message]] of Object.entries(samples)) {
    it(`of type ${type} is read as its source reads it; another type is a warning, as versions differ`, () => {
      assert.deepStrictEqual(messages({ type, ...right }), [])
      assert.deepStrictEqual(messages({ type, ...wrong }), [`warning ${message}`])
    })
  }

  it("is read below ipam where the caller hands that on", () => {
    const ipam = (fields: object) =>
      messages({ type: "macvlan", master: "eth0", ipam: { type: "whereabouts", ...fields } })
    assert.deepStrictEqual(ipam({ range: "10.1.0.0/24", exclude: ["10.1.0.0/28"] }), [])
    assert.deepStrictEqual(ipam({ range: 10 }), ["warning ipam.range: found 10, expected a string"])
    assert.deepStrictEqual(messages({ type: "calico", ipam: { type: "calico-ipam", ipv4_pools: "p" } }), [
      `warning ipam.ipv4_pools: found "p", expected a list of strings`
    ])
  })

  it("may have fields that are not known", () => {
    for (const type of ThirdParty.byType.keys()) {
      if (type === "tc-redirect-tap") continue // it never stands alone
      assert.deepStrictEqual(messages({ type, mtuu: 1, log_lvl: 2, kubeconfg: 3 }), [], type)
    }
  })

  it("has tc-redirect-tap after the plugin that makes the interface", () => {
    assert.deepStrictEqual(messages({ type: "tc-redirect-tap" }), [
      "error type: tc-redirect-tap stands first, and works only on what a plugin before it has made"
    ])
  })
})

describe("the files of a plugin of others", () => {
  const found = (plugin: object, files: ReadonlyArray<string> = []) => {
    const { host } = Host.facts()
    if (host === undefined) throw new Error("the facts have no host")
    return Facts.found([PluginNeeds.pluginFiles], { ...network(plugin), host: { ...host, files: new Set(files) } })
      .map((line) => line.replace(/^.*\d:\d+ /, ""))
  }

  it("have to be there, whether the configuration names them or the plugin itself", () => {
    const calico = { type: "calico", kubernetes: { kubeconfig: "/etc/cni/net.d/calico-kubeconfig" } }
    assert.deepStrictEqual(found(calico), [
      "plugins[0].kubernetes.kubeconfig: calico opens /etc/cni/net.d/calico-kubeconfig, which is not there: it needs " +
      "this file to reach the API server",
      "plugins[0].type: calico opens /var/lib/calico/nodename, which is not there: calico/node on this host writes it " +
      "when it is ready"
    ])
    assert.deepStrictEqual(found(calico, ["/etc/cni/net.d/calico-kubeconfig", "/var/lib/calico/nodename"]), [])
  })

  it("need not be there where the configuration says so", () => {
    assert.deepStrictEqual(found({ type: "calico", nodename_file_optional: true }), [])
    assert.lengthOf(found({ type: "calico", nodename_file_optional: false }), 1)
  })

  it("are those of delegates too", () => {
    assert.deepStrictEqual(found({ type: "multus", delegates: [{ type: "flannel" }] }), [
      "plugins[0].delegates[0].type: flannel opens /run/flannel/subnet.env, which is not there: flanneld on this host " +
      "writes it"
    ])
  })

  it("are not asked of a plugin that is not known", () => {
    assert.deepStrictEqual(found({ type: "acme", kubeconfig: "/none" }), [])
  })
})

/** The files that each plugin opens, by the fields that name them. */
const opened: { readonly [type: string]: readonly [fallbacks: ReadonlyArray<string>, fields: ReadonlyArray<string>] } =
  {
    calico: [["/var/lib/calico/nodename"], [
      "kubernetes.kubeconfig",
      "nodename_file",
      "etcd_key_file",
      "etcd_cert_file",
      "etcd_ca_cert_file"
    ]],
    flannel: [["/run/flannel/subnet.env"], ["subnetFile"]],
    "istio-cni": [[], ["kubernetes.kubeconfig"]],
    "kube-ovn": [[], ["server_socket"]],
    "linkerd-cni": [[], ["kubernetes.kubeconfig"]],
    multus: [[], ["kubeconfig", "readinessindicatorfile"]],
    whereabouts: [[], ["kubernetes.kubeconfig", "configuration_path"]]
  }

describe("a plugin of others opens", () => {
  const filesOf = (plugin: { readonly type: string }) => {
    const [placed] = network(plugin).chain
    return placed === undefined ? [] : PluginNeeds.filesOf(placed)
  }
  for (const type of ThirdParty.byType.keys()) {
    const [fallbacks, fields] = opened[type] ?? [[], []]
    it(`as ${type}: ${[...fallbacks, ...fields].join(", ") || "no files"}`, () => {
      assert.deepStrictEqual(filesOf({ type }).map(({ file }) => file), fallbacks)
      for (const field of fields) {
        const [name = "", inner] = field.split(".")
        const found = filesOf({ type, [name]: inner === undefined ? "/file" : { [inner]: "/file" } })
        assert.deepStrictEqual(
          found.filter(({ file }) => file === "/file").map(({ needed }) => needed.at.join(".")),
          [field]
        )
        assert.isTrue(found.every(({ needed }) => needed.purpose.length > 20))
      }
    })
  }
})
