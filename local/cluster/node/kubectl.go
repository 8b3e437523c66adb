//go:build !nokubectl

package main

import kubectl "k8s.io/kubectl/pkg/cmd"

func init() {
	optional["kubectl"] = kubectl.NewDefaultKubectlCommand
}
