/** What the name of a file in a folder of plugins says about it. */

/** Plugins of the CNI project, and those of the networks that are in wide use. */
const known: ReadonlySet<string> = new Set(
  `
    bandwidth bridge dhcp dummy firewall flannel host-device host-local ipvlan loopback macvlan portmap ptp sbr
    static tap tuning vlan vrf antrea aws-cni azure-vnet azure-vnet-ipam azure-vnet-ipamv6 azure-ipam azure-cns
    azure-vnet-telemetry calico calico-ipam calico-node canal cilium-cni contrail-k8s-cni egress-cni egress-v4-cni
    egress-v6-cni gke gcp-ipam kube-ovn kube-router kuryr-cni netd nsx nuage-cni-k8s opflex-agent-cni
    ovn-k8s-cni-overlay pcn-k8s romana terway vpc-branch-eni vpc-branch-pat-eni vpc-bridge vpc-eni vpc-shared-eni
    vpc-tunnel weave-ipam weave-net cni-genie coordinator dnsname genie hybridnet isolation istio-cni linkerd-cni
    kgateway-cni kuma-cni multus multus-shim route-override tc-redirect-tap osm-cni accelerated-bridge afxdp bond
    cni-infoblox danm danm-ipam fakeipam fabric galaxy galaxy-bridge galaxy-k8s-sriov galaxy-k8s-vlan
    galaxy-underlay-veth galaxy-veth ib-sriov ib-sriov-cni ifacer infoblox ipoib kube-ipam nodus ovn4nfvk8s-cni ovs
    ovs-cni ovs-mirror-consumer ovs-mirror-producer rdma spiderpool sriov sriov-cni ucp-cni userspace whereabouts
  `.trim().split(/\s+/)
)

/** Whether it is the name of a plugin that is in wide use. */
export const isKnown = (name: string): boolean => known.has(name) || name.startsWith("weave-plugin-")

/** Endings by which package managers, installers and editors mark what they are about to rename, or have put aside. */
const endings = [
  "dpkg-(?:new|tmp|old|dist|bak|remove)|ucf-(?:new|old|dist)|rpm(?:new|save|orig|moved|-tmp)|pac(?:new|save|orig)",
  "apk-new|cfgsave|distrib|diverted",
  "new|old|orig|bak|backup|save|saved|tmp|temp|part|partial|swp|swx|download"
]

/** `bridge.dpkg-new`, `bridge;5f3a9c21` of rpm, `bridge~`, `_bridge`, `#bridge#`. */
const temporary = new RegExp(`^(?:[._#].*|(.*?)(?:~|#|;[0-9a-f]{4,}|\\.(?:${endings.join("|")})))$`)

/** Whether package managers and installers give such names to what they are about to rename. */
export const isTemporary = (name: string): boolean => temporary.test(name)

/** The name that a file with a temporary name is about to get: `passthrough` for `passthrough.dpkg-new`. */
export const finalOf = (name: string): string | undefined => temporary.exec(name)?.[1]

/** Whether it is the name of an executable of ours. */
export const isOurs = (name: string): boolean => /^(?:cni-)?passthrough(?:[-.;~]|$)/.test(name)

/** Why an executable of ours is never wrapped. */
export const ownReason = "it is our own executable"

/** Why a file of this name is never wrapped; undefined where it may be. */
export const objection = (name: string): string | undefined => {
  if (isOurs(name)) return ownReason
  return isTemporary(name) ? "installers give such names to what they are about to rename" : undefined
}
