/** A script for the sandbox, after {@link setUp}: podman on netavark, which all programs of the sandbox read of it. */
export const netavark = `
mkdir /tmp/etc-containers
sed 's/network_backend = .*/network_backend = "netavark"/' /tmp/containers.conf > /tmp/etc-containers/containers.conf
cover /etc/containers /tmp/etc-containers
unset CONTAINERS_CONF
`

/** A script for the sandbox: podman on CNI, with an image `localhost/bb` that has busybox in it. */
export const setUp = `
cat > /tmp/containers.conf <<EOF
[network]
network_backend = "cni"
network_config_dir = "/etc/cni/net.d"
cni_plugin_dirs = ["/opt/cni/bin", "/usr/lib/cni"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
EOF
export CONTAINERS_CONF=/tmp/containers.conf
# On a host that podman is used on, its own storage says which backend it chose.
mkdir -p /tmp/var-lib-containers/storage
printf cni > /tmp/var-lib-containers/storage/defaultNetworkBackend
cover /var/lib/containers /tmp/var-lib-containers
podman() {
  command podman --root /tmp/storage --runroot /run/storage --tmpdir /run/libpod --storage-driver vfs --runtime runc "$@"
}
mkdir -p /tmp/rootfs/bin
cp /bin/busybox /tmp/rootfs/bin/
echo "hello from the pod" > /tmp/rootfs/index.html
tar -C /tmp/rootfs -c . | podman import - localhost/bb >&2
`
