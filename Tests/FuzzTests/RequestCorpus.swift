/// Streams of requests to begin from, good and bad, and the tokens to change them with.
enum RequestCorpus {
  static let streams: [[UInt8]] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nHEAD /healthz?x=%20 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close, x\r\n\r\n",
    "GET http://a:80/x HTTP/1.1\r\nHost: \t a \t\r\nX:\r\n\r\n",
    "POST /w HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    "POST /w HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
      + "POST /w HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nX: y\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\u{16}\u{03}\u{01}\u{02}\u{00}\u{01}",
    "GET /\r\n",
    "",
    "GET / HTTP/1.1\r\nHost: a\r\n" + (0..<98).map { "x\($0): y\r\n" }.joined() + "\r\n",
    "GET /" + String(repeating: "a", count: 120) + " HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + String(repeating: "1\r\na\r\n", count: 33)
      + "0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 32\r\n\r\n" + String(repeating: "b", count: 32),
    """
    POST /webhooks/dynamic HTTP/1.1\r\nHost: revoked.website-sample.com\r\nUser-Agent: axios/1.7.9\r\n\
    Accept: application/json, text/plain, */*\r\nContent-Type: application/json\r\n\
    x-dynamic-signature-256: sha256=e7ef1daf8d57e3c0506d1f2522d871fd416d9eac7aa679cd4f22867705f12628\r\n\
    X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n{}
    """,
  ].map { Array($0.utf8) }

  static let mutator = Mutator(
    tokens: [
      "\r\n", "\r\n\r\n", "\n", "\r", " ", "\t", ":", ",", ";", "0\r\n\r\n", "1\r\na\r\n", "5;ext=\"v\"\r\n",
      "ffffffffffffffff\r\n",
      "00000000000000001\r\n", "GET / HTTP/1.1\r\n", "GET ", "POST ", "CONNECT ", "HTTP/1.0", "HTTP/1.1", "HTTP/2.0",
      "http://", "*",
      "%2f", "%zz", "//", "..", "Host: b\r\n", "Content-Length: 1\r\n", "Content-Length: +1\r\n",
      "Content-Length: 262145\r\n",
      "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n", "Connection: close\r\n",
      "Connection: keep-alive\r\n",
      "Expect: 100-continue\r\n", "Expect: x\r\n", "X: y\r\n", "\u{0}", "\u{7f}", "é",
      String(repeating: "z", count: 64),
    ].map { Array($0.utf8) })

  /// One or two streams, joined and changed; now and then as they are.
  static func stream(_ random: inout SplitMix) -> [UInt8] {
    var stream = random.pick(streams)
    if random.oneIn(4) { stream += random.pick(streams) }
    if !random.oneIn(16) { mutator.mutate(&stream, &random) }
    return stream
  }
}
