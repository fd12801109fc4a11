// An application behind the client. Its requests carry the claims that it would have verified, in the field Claims.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"application/revocations"
)

func main() {
	arguments := os.Args[1:]
	maxAge, err := strconv.Atoi(arguments[2])
	if err != nil {
		log.Fatal(err)
	}
	client := &revocations.Client{
		URL: arguments[0], Token: arguments[4], Ask: arguments[1] == "ask", FailOpen: arguments[3] == "open",
		Timeout: 2 * time.Second,
	}
	if !client.Ask { // Which needs no MaxAge.
		client.MaxAge = time.Duration(maxAge) * time.Second
		client.Start()
	}
	claimsOf := func(r *http.Request) (claims map[string]any) {
		if err := json.Unmarshal([]byte(r.Header.Get("Claims")), &claims); err != nil {
			log.Fatal(err)
		}
		return claims
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, age := client.Check(claimsOf(r))
		fmt.Fprintf(w, "age=%.1f\n", age.Seconds())
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s \n", listener.Addr())
	log.Fatal(http.Serve(listener, client.Guard(claimsOf, page)))
}
