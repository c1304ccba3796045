// The job of the plugin in Go on the reference skeleton, for comparison: log the request, hand prevResult on.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/containernetworking/cni/pkg/version"
)

type config struct {
	types.NetConf
	LogFile string   `json:"logFile"`
	HookADD []string `json:"hookADD"`
}

func tap(args *skel.CmdArgs) error {
	var conf config
	if err := json.Unmarshal(args.StdinData, &conf); err != nil {
		return err
	}
	var log bytes.Buffer
	fmt.Fprintf(&log, "\n%s\nCNI_CONTAINERID: %s\nCNI_NETNS: %s\nCNI_IFNAME: %s\nCNI_ARGS: %s\nCNI_PATH: %s\n",
		time.Now().Format(time.RFC1123Z), args.ContainerID, args.Netns, args.IfName, args.Args, args.Path)
	json.Indent(&log, args.StdinData, "", "  ")
	for _, command := range conf.HookADD {
		output, _ := exec.Command("sh", "-c", command).CombinedOutput()
		fmt.Fprintf(&log, "COMMAND: %s\n%s", command, output)
	}
	file, err := os.OpenFile(conf.LogFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Write(log.Bytes())
	return err
}

func add(args *skel.CmdArgs) error {
	if err := tap(args); err != nil {
		return err
	}
	var conf config
	if err := json.Unmarshal(args.StdinData, &conf); err != nil {
		return err
	}
	if err := version.ParsePrevResult(&conf.NetConf); err != nil {
		return err
	}
	return types.PrintResult(conf.PrevResult, conf.CNIVersion)
}

func main() {
	skel.PluginMain(add, tap, tap, version.All, "a tap in Go")
}
