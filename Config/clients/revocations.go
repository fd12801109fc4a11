// Package revocations knows which sessions revoked refuses. Go 1.19, standard library.
//
//	client := revocations.New("http://127.0.0.1:8081", token, 2*time.Minute, false)  // reads everything first
//	reason, age := client.Check(claims)        // the claims of a JWT that the application has verified
//	handler = client.Guard(claimsOf, handler)  // middleware; claimsOf takes them from the request's context
//
// All revoked sessions and cut-offs are in memory, fed by GET /v1/revocations. While revoked is away, it goes on
// refusing what it knows, and lets the others pass for maxAge. Then, and before everything was read once, it refuses
// everybody with status 503, or lets the others pass if failOpen is true.
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

// In seconds since 1970: what was issued until before is refused, and until when that counts.
type entry struct{ before, until float64 }

type Client struct {
	url, token, cursor, problem string
	maxAge                      time.Duration
	failOpen                    bool
	http                        http.Client
	wait, remembered            int
	mutex                       sync.RWMutex
	entries                     map[string]entry // By member and id.
	currentAt                   time.Time        // When everything was known.
}

func New(url, token string, maxAge time.Duration, failOpen bool) *Client {
	c := &Client{url: url, token: token, maxAge: maxAge, failOpen: failOpen, entries: map[string]entry{}}
	c.wait = int(math.Max(1, math.Min(25, maxAge.Seconds()/3))) // Well below maxAge: nothing is known while it waits.
	c.http = http.Client{Timeout: time.Duration(c.wait+5) * time.Second, Transport: &http.Transport{}}
	for c.next() == "limit" {
	}
	go func() {
		for {
			c.next()
		}
	}()
	return c
}

// Check returns why to refuse: revoked, cut-off, no-session, unreadable, or unfit where it is not known; or "". It also
// returns the time since everything was known.
func (c *Client) Check(claims map[string]any) (reason string, age time.Duration) {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	now, age := float64(time.Now().UnixMilli())/1000, time.Since(c.currentAt)
	if age > c.maxAge && !c.failOpen {
		reason = "unfit"
	}
	iat, isTime := claims["iat"].(float64) // One that is missing or lies ahead cannot be believed.
	for _, kind := range kinds {
		id, isText := claims[kind[0]].(string)
		known := c.entries[kind[1]+" "+strings.ToLower(id)]
		if claims["sid"] == nil {
			return "no-session", age
		} else if claims[kind[0]] != nil && !isText || isText && kind[1] == "sessionId" && !uuid.MatchString(id) {
			return "unreadable", age
		} else if known.until > now && !(isTime && math.Floor(iat) > known.before && iat <= now+skew) {
			reason = kind[2]
		}
	}
	return reason, age
}

func (c *Client) Guard(claimsOf func(*http.Request) map[string]any, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reason, _ := c.Check(claimsOf(r))
		if reason == "" {
			next.ServeHTTP(w, r)
			return
		}
		status, field, value := http.StatusUnauthorized, "WWW-Authenticate", `Bearer error="invalid_token"`
		if reason == "unfit" {
			status, field, value = http.StatusServiceUnavailable, "Retry-After", "5"
		}
		w.Header().Set(field, value)
		w.Header().Set("X-Revoked-Reason", reason)
		w.WriteHeader(status)
	})
}

// next reads an answer and returns how it ended.
func (c *Client) next() string {
	end, err := c.read()
	if problem := fmt.Sprint(err); err != nil && problem != c.problem {
		log.Print("revoked cannot be read: ", problem)
	}
	if c.problem = fmt.Sprint(err); err != nil {
		time.Sleep(time.Second)
	}
	return end
}

func (c *Client) read() (string, error) {
	url := fmt.Sprintf("%s/v1/revocations?limit=%d&wait=%d&after=%s", c.url, page, c.wait, c.cursor)
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("X-Revoked-Token", c.token)
	answer, err := c.http.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		if answer.StatusCode == http.StatusGone { // A backup was restored: read all again. Nothing un-revokes.
			c.cursor = ""
		}
		return "", fmt.Errorf("HTTP %d", answer.StatusCode)
	}
	for answeredAt, lines := time.Now(), json.NewDecoder(answer.Body); ; {
		line := map[string]string{}
		if err := lines.Decode(&line); err != nil {
			return "", fmt.Errorf("the answer was cut: %w", err) // A whole one ends with such a line, whoever passed it on.
		}
		c.remember(line, answeredAt)
		if c.cursor = line["cursor"]; line["end"] != "" {
			return line["end"], nil
		}
	}
}

func (c *Client) remember(line map[string]string, answeredAt time.Time) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if line["end"] == "complete" {
		c.currentAt = answeredAt
	}
	for _, kind := range kinds[:3] {
		if id := line[kind[1]]; id != "" {
			known, before, until := c.entries[kind[1]+" "+id], seconds(line["before"]), seconds(line["expiresAt"])
			c.entries[kind[1]+" "+id] = entry{math.Max(known.before, before), math.Max(known.until, until)}
		}
	}
	if c.remembered++; c.remembered%page == 0 { // So what has expired takes little room.
		for key, known := range c.entries {
			if known.until <= float64(time.Now().Unix()) {
				delete(c.entries, key)
			}
		}
	}
}

// seconds since 1970. A session is refused whenever its token was issued, so its entry has no before.
func seconds(text string) float64 {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return float64(t.UnixMilli()) / 1000
	}
	return math.Inf(1)
}
