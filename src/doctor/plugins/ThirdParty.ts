/** The third-party plugins that we know, by type. */
import { antrea } from "./Antrea.ts"
import { awsCni } from "./AwsCni.ts"
import { azureVnet } from "./AzureVnet.ts"
import { bond } from "./Bond.ts"
import { calico } from "./Calico.ts"
import { calicoIpam } from "./CalicoIpam.ts"
import { ciliumCni } from "./CiliumCni.ts"
import { flannel } from "./Flannel.ts"
import { istioCni } from "./IstioCni.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"
import { kubeOvn } from "./KubeOvn.ts"
import { linkerdCni } from "./LinkerdCni.ts"
import { multus } from "./Multus.ts"
import { ovnKubernetes } from "./OvnKubernetes.ts"
import { ovs } from "./Ovs.ts"
import { sriov } from "./Sriov.ts"
import { tcRedirectTap } from "./TcRedirectTap.ts"
import { whereabouts } from "./Whereabouts.ts"

const all: ReadonlyArray<KnownPlugin> = [
  antrea,
  awsCni,
  azureVnet,
  bond,
  calico,
  calicoIpam,
  ciliumCni,
  flannel,
  istioCni,
  kubeOvn,
  linkerdCni,
  multus,
  ovnKubernetes,
  ovs,
  sriov,
  tcRedirectTap,
  whereabouts
]

export const byType: ReadonlyMap<string, KnownPlugin> = new Map(all.map((plugin) => [plugin.type, plugin]))
