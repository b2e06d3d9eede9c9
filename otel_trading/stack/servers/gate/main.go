// The gate lets others in: TLS and a secret before servers that themselves listen on loopback only. Go's own library does all
// of it: TLS, HTTP/1, HTTP/2 and the proxy. What floods it keeps neither the Collector nor Prometheus from their work.
//
//	otel-trading-gate CERTIFICATE KEY (LISTEN TARGET SECRETS)...
//
// LISTEN is host:port, TARGET a URL (h2c:// for gRPC), SECRETS a file with one secret per line, any of which opens. It comes as
// `Authorization: Bearer SECRET`, or as the password of Basic, which browsers ask for.
package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"time"
)

const version = "1.0.0"

// What ends, reloads or profiles a server is for its own machine; what is written comes by the Collector, which filters it.
var closed = []string{"/-/", "/debug/", "/api/v1/admin/", "/api/v1/otlp/", "/api/v1/write/"}

func main() {
	arguments := os.Args[1:]
	if len(arguments) == 1 && arguments[0] == "--version" {
		fmt.Println("otel-trading-gate", version)
		return
	}
	log.Fatal(run(arguments))
}

func run(arguments []string) error {
	if len(arguments) < 5 || len(arguments)%3 != 2 {
		return errors.New("usage: otel-trading-gate CERTIFICATE KEY (LISTEN TARGET SECRETS)...")
	}
	pair, err := tls.LoadX509KeyPair(arguments[0], arguments[1])
	if err != nil {
		return err
	}
	var servers []*http.Server
	var listeners []net.Listener
	for rest := arguments[2:]; len(rest) > 0; rest = rest[3:] {
		handler, err := guarded(rest[1], rest[2])
		if err != nil {
			return err
		}
		listener, err := net.Listen("tcp", rest[0])
		if err != nil {
			return err
		}
		listeners = append(listeners, listener)
		servers = append(servers, &http.Server{
			Handler:           handler,
			TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}},
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       2 * time.Minute,
			ErrorLog:          log.New(io.Discard, "", 0), // whoever scans a port must not fill the disk
		})
	}
	ended := make(chan error)
	for number, server := range servers {
		go func() { ended <- server.ServeTLS(listeners[number], "", "") }()
	}
	return <-ended
}

// guarded hands to the target what brings one of the secrets, and answers everything else itself.
func guarded(target, file string) (http.Handler, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	secrets := strings.Fields(string(text))
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%s holds no secret", file)
	}
	to, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	proxy := forward(to)
	return http.HandlerFunc(func(reply http.ResponseWriter, request *http.Request) {
		switch {
		case !opens(secrets, request):
			say(request.RemoteAddr)
			reply.Header().Set("WWW-Authenticate", `Basic realm="otel-trading"`)
			http.Error(reply, "401: a valid token or password is needed", http.StatusUnauthorized)
		case isClosed(request.URL.Path):
			http.Error(reply, "403: only from the machine itself", http.StatusForbidden)
		default:
			proxy.ServeHTTP(reply, request)
		}
	}), nil
}

func opens(secrets []string, request *http.Request) bool {
	_, given, found := request.BasicAuth()
	if !found {
		var scheme string
		scheme, given, _ = strings.Cut(request.Header.Get("Authorization"), " ")
		found = strings.EqualFold(scheme, "Bearer")
	}
	hash, same := sha256.Sum256([]byte(given)), 0
	for _, secret := range secrets {
		one := sha256.Sum256([]byte(secret))
		same |= subtle.ConstantTimeCompare(hash[:], one[:])
	}
	return found && same == 1
}

func isClosed(asked string) bool {
	asked = path.Clean("/"+asked) + "/"
	for _, prefix := range closed {
		if strings.HasPrefix(asked, prefix) {
			return true
		}
	}
	return false
}

func forward(target *url.URL) http.Handler {
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16} // and no proxy of the environment
	if target.Scheme == "h2c" {
		target.Scheme = "http"
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	return &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(target)
			request.Out.Header.Del("Authorization")
		},
	}
}

var lastSaid atomic.Int64

// say tells of a refusal, once a minute at most.
func say(who string) {
	now, last := time.Now().Unix(), lastSaid.Load()
	if now-last >= 60 && lastSaid.CompareAndSwap(last, now) {
		log.Printf("refused %s: no valid token or password (said at most once a minute)", who)
	}
}
