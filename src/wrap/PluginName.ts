/** Classifies the files in a folder of plugins by name. */

/** The reference plugins, and those of widely used networks. */
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

/** Whether a plugin of this name is in wide use. */
export const isKnown = (name: string): boolean => known.has(name) || name.startsWith("weave-plugin-")

/** Suffixes that package managers, installers and editors give to temporary files and backups. */
const endings = [
  "dpkg-(?:new|tmp|old|dist|bak|remove)|ucf-(?:new|old|dist)|rpm(?:new|save|orig|moved|-tmp)|pac(?:new|save|orig)",
  "apk-new|cfgsave|distrib|diverted",
  "new|old|orig|bak|backup|save|saved|tmp|temp|part|partial|swp|swx|download"
]

/** Matches `bridge.dpkg-new`, rpm's `bridge;5f3a9c21`, `bridge~`, `_bridge`, `#bridge#`. */
const temporary = new RegExp(`^(?:[._#].*|(.*?)(?:~|#|;[0-9a-f]{4,}|\\.(?:${endings.join("|")})))$`)

/** Whether package managers and installers use such a name for temporary files and backups. */
export const isTemporary = (name: string): boolean => temporary.test(name)

/** The name without its temporary marks: `passthrough` for `passthrough.dpkg-new`. */
export const finalOf = (name: string): string | undefined => temporary.exec(name)?.[1]

/** Whether one of our executables has this name. */
export const isOurs = (name: string): boolean => /^(?:cni-)?passthrough(?:[-.;~]|$)/.test(name)

/** Why our executables are never wrapped. */
export const ownReason = "it is our own executable"

/** Why a file of this name is never wrapped, or undefined if it may be. */
export const objection = (name: string): string | undefined => {
  if (isOurs(name)) return ownReason
  return isTemporary(name) ? "installers use such names for temporary files" : undefined
}
