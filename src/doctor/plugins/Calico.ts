/** Calico 3.30. Source: github.com/projectcalico/calico, cni-plugin/pkg/types/types.go. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aBoolean, aString, integer, listOf, struct } = Go

export const calico: KnownPlugin = {
  type: "calico",
  fields: {
    mtu: integer(0),
    num_queues: integer(),
    nodename: aString,
    nodename_file: aString,
    nodename_file_optional: aBoolean,
    datastore_type: aString,
    etcd_endpoints: aString,
    etcd_key_file: aString,
    etcd_cert_file: aString,
    etcd_ca_cert_file: aString,
    log_level: aString,
    log_file_path: aString,
    log_file_max_size: integer(),
    log_file_max_age: integer(),
    log_file_max_count: integer(),
    policy: struct({ type: aString }),
    kubernetes: struct({ kubeconfig: aString, k8s_api_root: aString, node_name: aString }),
    feature_control: struct({ ip_addrs_no_ipam: aBoolean, floating_ips: aBoolean }),
    container_settings: struct({ allow_ip_forwarding: aBoolean }),
    include_default_routes: aBoolean,
    readiness_gates: listOf(aString, "a list of strings"),
    policy_setup_timeout_seconds: integer(),
    require_mtu_file: aBoolean
  },
  files: [
    { at: ["kubernetes", "kubeconfig"], purpose: "it needs this file to reach the API server" },
    {
      at: ["nodename_file"],
      fallback: "/var/lib/calico/nodename",
      isOptional: ({ nodename_file_optional }) => nodename_file_optional === true,
      purpose: "calico/node on this host writes it when it is ready"
    },
    { at: ["etcd_key_file"], purpose: "it needs this file to reach etcd" },
    { at: ["etcd_cert_file"], purpose: "it needs this file to reach etcd" },
    { at: ["etcd_ca_cert_file"], purpose: "it needs this file to reach etcd" }
  ],
  handsIpamOn: true
}
