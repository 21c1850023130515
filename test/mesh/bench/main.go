// meshbench asks the real code of Istio and Kubernetes about generated objects: `validate` (CRD schemas, the validating webhook,
// istioctl analyze) and `translate` (what istiod would send a Pod's Envoy, also as a bootstrap that a vanilla Envoy can run).
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"istio.io/istio/pkg/log"
)

type kv map[string]string

func (k kv) String() string { return "" }
func (k kv) Set(v string) error {
	// the value part never has '=', keys may (never in practice): split at the last one
	i := strings.LastIndex(v, "=")
	if i < 0 {
		return fmt.Errorf("want KEY=VALUE, got %q", v)
	}
	k[v[:i]] = v[i+1:]
	return nil
}

type list []string

func (l *list) String() string     { return "" }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

func die(code int, f string, a ...any) {
	fmt.Fprintf(os.Stderr, f+"\n", a...)
	os.Exit(code)
}

func write(p string, v any) {
	b, err := json.MarshalIndent(v, "", " ")
	if err == nil {
		err = os.WriteFile(p, b, 0o644)
	}
	if err != nil {
		die(2, "%v", err)
	}
}

func main() {
	if len(os.Args) < 2 {
		die(2, "usage: meshbench validate|translate [flags] DIR...")
	}
	fs := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	var crds list
	listen, addrs, secrets := kv{}, kv{}, kv{}
	fs.Var(&crds, "crds", "CRD YAML file (repeatable)")
	asJSON := fs.Bool("json", false, "findings as JSON")
	failOn := fs.String("fail-on", "error", "exit 1 on findings of this level or worse: error|warning|info")
	pod := fs.String("pod", "", "NAMESPACE/NAME of the Pod whose proxy is asked for")
	typ := fs.String("type", "router", "router|sidecar")
	version := fs.String("istio-version", "1.31.0", "version the proxy claims")
	out := fs.String("out", "", "folder for raw.json, summary.txt, envoy.json, report.json")
	fs.Var(listen, "listen", "LISTENER|ADDR:PORT=127.0.0.1:PORT (repeatable)")
	fs.Var(addrs, "map", "CLUSTER|ADDR:PORT=127.0.0.1:PORT (repeatable)")
	fs.Var(secrets, "secret", "SDSNAME=cert:FILE,key:FILE or SDSNAME=ca:FILE (repeatable)")
	admin := fs.String("admin", "127.0.0.1:0", "Envoy admin address")
	origdst := fs.Bool("origdst-proxy", false, "sidecar: virtualOutbound takes the original destination from a PROXY header")
	logLevel := fs.String("istio-log", "warn", "istiod log level (stderr)")
	_ = fs.Parse(os.Args[2:])
	lo := log.DefaultOptions()
	lo.OutputPaths = []string{"stderr"}
	lv := map[string]log.Level{"error": log.ErrorLevel, "warn": log.WarnLevel, "info": log.InfoLevel, "debug": log.DebugLevel}[*logLevel]
	lo.SetDefaultOutputLevel(log.OverrideScopeName, lv)
	_ = log.Configure(lo)

	f, err := loadFolder(fs.Args())
	if err != nil {
		die(1, "load: %v", err)
	}
	for _, n := range f.notes {
		fmt.Fprintln(os.Stderr, "note:", n)
	}
	switch os.Args[1] {
	case "validate":
		fl, err := f.validate(crds)
		if err != nil {
			die(2, "%v", err)
		}
		rank := map[string]int{"error": 3, "warning": 2, "info": 1}
		bad := 0
		for _, x := range fl {
			if rank[x.Level] >= rank[*failOn] {
				bad++
			}
			if !*asJSON {
				fmt.Printf("%-7s %-16s %s: %s\n", x.Level, x.Stage, x.Resource, x.Message)
			}
		}
		if *asJSON {
			if fl == nil {
				fl = []finding{}
			}
			b, _ := json.MarshalIndent(fl, "", " ")
			fmt.Println(string(b))
		}
		fmt.Fprintf(os.Stderr, "%d documents (%d Istio), %d findings, %d at or above %s\n", len(f.docs), len(f.istio), len(fl), bad, *failOn)
		if bad > 0 {
			os.Exit(1)
		}
	case "translate":
		r, err := f.compute(*pod, *typ, *version)
		if err != nil {
			die(1, "istiod: %v", err)
		}
		if *out == "" {
			summary(os.Stdout, r)
			return
		}
		_ = os.MkdirAll(*out, 0o755)
		write(filepath.Join(*out, "raw.json"), r)
		sf, _ := os.Create(filepath.Join(*out, "summary.txt"))
		summary(sf, r)
		sf.Close()
		b, rep, err := f.vanilla(r, f.pod(*pod).Namespace, vanillaOpts{
			typ: *typ, listen: listen, addrs: addrs, secrets: secrets, admin: *admin, id: *typ + "~" + *pod, origdst: *origdst,
		})
		if rep != nil {
			write(filepath.Join(*out, "report.json"), rep)
		}
		if err != nil {
			die(1, "vanilla: %v", err)
		}
		write(filepath.Join(*out, "envoy.json"), b)
	default:
		die(2, "unknown command %q", os.Args[1])
	}
}
