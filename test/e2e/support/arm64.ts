/**
 * A script for the sandbox: lets the kernel start executables for arm64, by QEMU, until it ends. A kernel may have one
 * list of such programs for all namespaces: ours has a name of its own, and is taken out again.
 */
export const arm64 = `
mkdir /tmp/binfmt
mount -t binfmt_misc binfmt_misc /tmp/binfmt
format=cni-passthrough-$(cat /proc/sys/kernel/random/uuid)
trap 'echo -1 > /tmp/binfmt/$format' EXIT
magic='\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00'
mask='\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff'
printf %s ":$format:M::$magic:$mask:/usr/bin/qemu-aarch64-static:F" > /tmp/binfmt/register
export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
`
