// Command authorizer is the least that answers Envoy's ext_authz with grpc-go: it allows whatever it is asked.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"log"
	"net"
	"os"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	statusv3 "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

type allowAll struct {
	authv3.UnimplementedAuthorizationServer
}

func (allowAll) Check(context.Context, *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	return &authv3.CheckResponse{
		Status:       &statusv3.Status{Code: 0},
		HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{}},
	}, nil
}

func main() {
	network := flag.String("network", "tcp", "tcp or unix")
	address := flag.String("address", "", "where to listen")
	certificate := flag.String("certificate", "", "own certificate; without it connections are in clear")
	key := flag.String("key", "", "its key")
	clientCA := flag.String("client-ca", "", "roots that callers are verified with")
	flag.Parse()

	var options []grpc.ServerOption
	if *certificate != "" {
		options = append(options, grpc.Creds(mutualTLS(*certificate, *key, *clientCA)))
	}
	server := grpc.NewServer(options...)
	authv3.RegisterAuthorizationServer(server, allowAll{})
	listener, err := net.Listen(*network, *address)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(server.Serve(listener))
}

func mutualTLS(certificate, key, clientCA string) credentials.TransportCredentials {
	own, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(clientCA)
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		log.Fatalf("%s holds no certificate", clientCA)
	}
	return credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{own},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    roots,
		MinVersion:   tls.VersionTLS12,
	})
}
