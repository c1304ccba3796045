/**
 * A shell script that gives a new network namespace the sysctls of a host on which nothing was configured. A namespace
 * inherits them from the host, and there are many that forward, or filter by the reverse path.
 */
export const unconfigured = `
for conf in /proc/sys/net/ipv4/conf/*; do
  for name in forwarding rp_filter arp_filter arp_ignore arp_announce arp_notify accept_local proxy_arp route_localnet; do
    echo 0 > $conf/$name
  done
  for name in accept_redirects send_redirects; do echo 1 > $conf/$name; done
done
for conf in $(ls -d /proc/sys/net/ipv6/conf/* 2>/dev/null); do
  for name in forwarding disable_ipv6; do echo 0 > $conf/$name; done
  echo 1 > $conf/accept_ra
done
`
