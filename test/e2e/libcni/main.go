// Runs a chain of CNI plugins the way container runtimes do, on libcni:
//
//	libcni-run add|check|del CONFLIST NETNS CONTAINERID IFNAME CACHEDIR
//
// CNI_PATH says where the plugins are. The result of an add goes to stdout.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/containernetworking/cni/libcni"
)

func run(command, conflist string, runtime *libcni.RuntimeConf, cacheDir string) error {
	list, err := libcni.ConfListFromFile(conflist)
	if err != nil {
		return err
	}
	cni := libcni.NewCNIConfigWithCacheDir(filepath.SplitList(os.Getenv("CNI_PATH")), cacheDir, nil)
	switch command {
	case "add":
		result, err := cni.AddNetworkList(context.Background(), list, runtime)
		if err != nil {
			return err
		}
		return result.Print()
	case "check":
		return cni.CheckNetworkList(context.Background(), list, runtime)
	case "del":
		return cni.DelNetworkList(context.Background(), list, runtime)
	}
	return fmt.Errorf("unknown command %q", command)
}

func main() {
	if len(os.Args) != 7 {
		fmt.Fprintln(os.Stderr, "usage: libcni-run add|check|del CONFLIST NETNS CONTAINERID IFNAME CACHEDIR")
		os.Exit(2)
	}
	runtime := &libcni.RuntimeConf{NetNS: os.Args[3], ContainerID: os.Args[4], IfName: os.Args[5]}
	if err := run(os.Args[1], os.Args[2], runtime, os.Args[6]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
