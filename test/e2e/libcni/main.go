// Runs a chain of CNI plugins the way container runtimes do, on libcni:
//
//	libcni-run add|check|del CONFLIST NETNS CONTAINERID IFNAME CACHEDIR
//	libcni-run convert < REQUESTS
//
// CNI_PATH says where the plugins are, CNI_ARGS and CAP_ARGS what they are called with. The result of an add goes to
// stdout. A request to convert is a line {"to": VERSION, "result": RESULT}, and its answer is the result in that
// version, or an empty line where there is none.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types/create"
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

func convert(line []byte) ([]byte, error) {
	var request struct {
		To     string          `json:"to"`
		Result json.RawMessage `json:"result"`
	}
	if err := json.Unmarshal(line, &request); err != nil {
		return nil, err
	}
	result, err := create.CreateFromBytes(request.Result)
	if err != nil {
		return nil, err
	}
	converted, err := result.GetAsVersion(request.To)
	if err != nil {
		return nil, err
	}
	return json.Marshal(converted)
}

func convertAll() error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		converted, _ := convert(lines.Bytes())
		fmt.Println(string(converted))
	}
	return lines.Err()
}

func runtimeConf(args []string) (*libcni.RuntimeConf, error) {
	runtime := &libcni.RuntimeConf{NetNS: args[0], ContainerID: args[1], IfName: args[2]}
	if pairs := os.Getenv("CNI_ARGS"); pairs != "" {
		for _, pair := range strings.Split(pairs, ";") {
			key, value, _ := strings.Cut(pair, "=")
			runtime.Args = append(runtime.Args, [2]string{key, value})
		}
	}
	if capabilities := os.Getenv("CAP_ARGS"); capabilities != "" {
		if err := json.Unmarshal([]byte(capabilities), &runtime.CapabilityArgs); err != nil {
			return nil, err
		}
	}
	return runtime, nil
}

func start(args []string) error {
	if len(args) == 1 && args[0] == "convert" {
		return convertAll()
	}
	if len(args) != 6 {
		return fmt.Errorf("usage: libcni-run add|check|del CONFLIST NETNS CONTAINERID IFNAME CACHEDIR")
	}
	runtime, err := runtimeConf(args[2:5])
	if err != nil {
		return err
	}
	return run(args[0], args[1], runtime, args[5])
}

func main() {
	if err := start(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
