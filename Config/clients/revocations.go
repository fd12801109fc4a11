// Package revocations asks revoked whether a session is refused. Go 1.19, standard library.
//
//	client := revocations.Client{URL: "http://127.0.0.1:8081", MaxAge: 2 * time.Minute, Timeout: 2 * time.Second}
//	client.Start()                            // reads everything, and follows what comes; not with Ask
//	reason, age := client.Check(claims)       // the claims of a JWT that the application has verified
//	handler = client.Guard(claimsOf, handler) // middleware; claimsOf takes them from the request's context
//
// A reason to refuse is revoked, cut-off, no-session, unreadable or, where it is not known, unfit. Empty: let pass. The
// age is the time since everything was known. What is revoked is in memory; while revoked is away it is refused, and the
// others pass for MaxAge. With Ask, each question goes to revoked. With FailOpen, what is unfit passes.
package revocations

import (
	"encoding/json"
	"fmt"
	"log"
	"math"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

const page = 10_000 // Entries of an answer, 1.5 MB. Between two answers it asks again at once.
const skew = 60     // Seconds that the clock which issues JWTs may be ahead of this one.

var uuid = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Claims, the members of the feed's entries that refuse them, and the reason. The last one counts.
var kinds = [][3]string{{"sub", "userId", "cut-off"}, {"environment_id", "environmentId", "cut-off"},
	{"sid", "sessionId", "revoked"}, {"originalSid", "sessionId", "revoked"}}

// A line of an answer.
type line struct {
	End, Cursor, SessionID, UserID, EnvironmentID, Before, ExpiresAt string
	Results                                                          []map[string]any
}

type Client struct {
	URL, Token      string
	Ask, FailOpen   bool
	MaxAge, Timeout time.Duration
	cursor          string
	mutex           sync.RWMutex          // Of what follows.
	entries         map[string][2]float64 // By member and id: issued until when is refused, and until when; from 1970.
	currentAt       time.Time             // When everything was known.
	problem         string
	remembered      int
}

// No proxy from the environment, and no redirect that would take the token elsewhere.
var transport = &http.Transport{}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (c *Client) Start() {
	wait, end := int(math.Max(1, math.Min(25, c.MaxAge.Seconds()/3))), "limit" // Well below MaxAge.
	for end == "limit" {
		path := fmt.Sprintf("/v1/revocations?limit=%d&wait=%d&after=%s", page, wait, c.cursor)
		end = c.exchange("GET", path, "", time.Duration(wait+5)*time.Second)
	}
	time.AfterFunc(map[string]time.Duration{"unfit": time.Second}[end], c.Start)
}

func (c *Client) Check(claims map[string]any) (reason string, age time.Duration) {
	token, now := map[string]any{"iat": claims["iat"]}, float64(time.Now().UnixMilli())/1000
	iat, isTime := claims["iat"].(float64) // One that is missing or lies ahead cannot be believed.
	c.mutex.RLock()
	for _, kind := range kinds {
		id, isText := claims[kind[0]].(string)
		known := c.entries[kind[1]+strings.ToLower(id)]
		if isText {
			token[kind[0]] = id
		}
		if claims["sid"] == nil {
			reason = "no-session"
		} else if claims[kind[0]] != nil && !isText || isText && kind[1] == "sessionId" && !uuid.MatchString(id) {
			reason = "unreadable"
		} else if known[1] > now && !(isTime && math.Floor(iat) > known[0] && iat <= now+skew) && reason != "unreadable" {
			reason = kind[2]
		}
	}
	c.mutex.RUnlock()
	if c.Ask && reason == "" {
		question, _ := json.Marshal(map[string][]any{"tokens": {token}})
		reason = c.exchange("POST", "/v1/tokens/check", string(question), c.Timeout)
	}
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	if age = time.Since(c.currentAt); reason == "unfit" || reason == "" && age > c.MaxAge && !c.Ask {
		reason = map[bool]string{false: "unfit"}[c.FailOpen]
	}
	return reason, age
}

func (c *Client) Guard(claimsOf func(*http.Request) map[string]any, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, field, value := http.StatusUnauthorized, "WWW-Authenticate", `Bearer error="invalid_token"`
		reason, _ := c.Check(claimsOf(r))
		if reason == "" {
			next.ServeHTTP(w, r)
			return
		} else if reason == "unfit" {
			status, field, value = http.StatusServiceUnavailable, "Retry-After", "5"
		}
		w.Header().Set(field, value)
		w.Header().Set("X-Revoked-Reason", reason)
		w.WriteHeader(status)
	})
}

// exchange asks, and remembers what comes. It returns how the answer ends: as the feed's last line says, or with the
// reason to refuse.
func (c *Client) exchange(method, path, body string, timeout time.Duration) (end string) {
	request, err := http.NewRequest(method, c.URL+path, strings.NewReader(body))
	if err == nil {
		request.Header.Set("X-Revoked-Token", c.Token)
		end, err = c.read((&http.Client{Timeout: timeout, Transport: transport, CheckRedirect: stay}).Do(request))
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if problem := fmt.Sprint(err); err != nil && problem != c.problem {
		log.Print("revoked cannot be read: ", problem)
	}
	if c.problem = fmt.Sprint(err); err != nil {
		return "unfit"
	}
	return end
}

func (c *Client) read(answer *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusGone { // A backup was restored: read all again. Nothing un-revokes.
		c.cursor = ""
	}
	for at, lines := time.Now(), json.NewDecoder(answer.Body); answer.StatusCode == http.StatusOK; {
		var line line
		if err := lines.Decode(&line); err != nil { // A whole answer has a line that says so, whatever stands between.
			return "", fmt.Errorf("the answer was cut: %w", err)
		} else if end := c.take(line, at); end != "" || len(line.Results) == 1 {
			return end, nil
		}
	}
	return "", fmt.Errorf("HTTP %d", answer.StatusCode)
}

func (c *Client) take(line line, at time.Time) string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if line.End == "complete" || len(line.Results) == 1 {
		c.currentAt = at
	}
	if len(line.Results) == 1 && line.Results[0]["refused"] != false {
		return fmt.Sprint(line.Results[0]["reason"])
	}
	if line.Cursor != "" {
		c.cursor = line.Cursor
	}
	if c.entries == nil {
		c.entries = map[string][2]float64{}
	}
	for i, id := range []string{line.UserID, line.EnvironmentID, line.SessionID} {
		if key := kinds[i][1] + id; id != "" {
			known, before, until := c.entries[key], seconds(line.Before), seconds(line.ExpiresAt)
			c.entries[key] = [2]float64{math.Max(known[0], before), math.Max(known[1], until)}
		}
	}
	if c.remembered++; c.remembered%page == 0 { // So what has expired takes little room.
		for key, known := range c.entries {
			if known[1] <= float64(time.Now().Unix()) {
				delete(c.entries, key)
			}
		}
	}
	return line.End
}

// seconds since 1970. A session is refused whenever its token was issued, so its entry has no before.
func seconds(text string) float64 {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return float64(t.UnixMilli()) / 1000
	}
	return math.Inf(1)
}
