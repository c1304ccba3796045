/** A script for a sandbox with the command: /usr/lib/cni and /var/log of its own, in which plugins can be wrapped. */
export const setUp = `
[ -d /tmp/usr-lib-cni ] || cp -a /usr/lib/cni /tmp/usr-lib-cni
mount --bind /tmp/usr-lib-cni /usr/lib/cni
mount -t tmpfs tmpfs /var/log
ln -f /tmp/opt-cni/bin/passthrough /tmp/bin/passthrough
state() { find /usr/lib/cni -mindepth 1 -printf '%P inode %i, mode %m of %u:%g, %s bytes of %T@, %n links\\n' | sort; }
`

/** What differs from one attachment to the next. */
export const normalised = (text: string): string =>
  text
    .replace(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, "MAC")
    .replace(/veth[0-9a-f]+/g, "VETH")
    .replace(/time="[^"]*"/g, "TIME")
    .replace(/netns-[0-9a-f-]{36}/g, "NETNS")
    .replace(/\b[0-9a-f]{64}\b/g, "ID")
