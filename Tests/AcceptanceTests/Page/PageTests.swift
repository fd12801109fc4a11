import Foundation
import HTTPServer
import RevocationStore
import TestSupport
import Testing

/// The page in a real browser, beside the real server.
@Suite("The page", .timeLimit(.minutes(5)))
struct PageTests {
  static let token = "a-token-of-22-bytes-xx"
  private let tokenVariable = ["REVOKED_PRIVATE_TOKEN": token]

  private func post(_ body: String, to server: RunningServer) throws {
    let answer = try server.post(body, signature: DeliveryTests.sign(body))
    #expect(answer.status == 200, "\(answer.body)")
  }

  /// The page once it shows something. With a token, that is given as a person would.
  private func browser(_ server: RunningServer, token: String? = nil) throws -> Browser {
    let browser = try Browser()
    try browser.open(server.privateAddress.url + "/")
    if let token {
      try browser.type(token + Browser.enter, into: "#token")
    }
    #expect(try browser.wait("!document.getElementById('content').hidden && document.querySelector('#commits svg')"))
    return browser
  }

  @Test func `one look says what is so, and what happens next shows by itself`() throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: ReplayTests.audit)
    let session = UUID().uuidString.lowercased()
    try post(DeliveryTests.event("admin.user.session.revoked", session: session), to: server)
    #expect(try server.post("{}", fields: "").status == 401)
    _ = try server.get("/v1/sessions/\(session)")
    let browser = try browser(server)
    #expect(try browser.text("#state") == "Ready. All is well.")
    let tiles = try browser.text("#tiles")
    for text in [
      "Last heard of Dynamic\n", "Webhook at Dynamic\nnot watched", "Sessions refused\n1", " free",
    ] {
      #expect(tiles.contains(text), "\(text): \(tiles)")
    }
    #expect(tiles.contains(" s ago") || tiles.contains("just now"), "\(tiles)")
    #expect(try browser.text("#handlers tbody") == "audit\t0\t–\t0")
    #expect(try browser.text("#deliveries .legend") == "accepted 1\nrefused 1")
    #expect(try browser.text("#look-ups .legend") == "not revoked 0\nrevoked 1")
    #expect(try browser.text("#latency figcaption").contains(" on average"))
    #expect(try browser.text("#commits figcaption").contains(" on average"))
    #expect(try browser.run("return document.querySelectorAll('#deliveries svg rect:not(.hit)').length") as? Int == 2)
    let event = try browser.text("#events > li")
    #expect(event.contains("admin.user.session.revoked") && event.contains(session) && event.contains("audit: done"))
    #expect(!event.contains("Personal data"))

    // Without a private token it only shows.
    for selector in ["#order", "#dead-tools", "#token-form"] {
      #expect(
        try browser.run("return document.querySelector(arguments[0]).checkVisibility()", selector) as? Bool == false)
    }
    #expect(try browser.text("#orders-title + .read-only").contains("none is configured"))

    try post(DeliveryTests.event(session: UUID().uuidString.lowercased()), to: server)
    #expect(try browser.wait("document.getElementById('tiles').innerText.includes('Sessions refused\\n2')"))
    // A pause and its end ask for the lists at once, which are due every 15 s.
    for isPaused in [true, false] {
      try browser.click("#pause")
      #expect(try browser.run("return document.getElementById('pause').ariaPressed") as? String == "\(isPaused)")
    }
    #expect(try browser.wait("document.querySelectorAll('#events > li').length === 2"))

    server.signal(SIGKILL)
    #expect(try browser.wait("document.getElementById('state-title').innerText === 'No answer'"))
    #expect(try browser.wait("/What you see is [\\d.]+ m?s old/.test(document.getElementById('troubles').innerText)"))
    #expect(try browser.wait("document.title.startsWith('✗ No answer')"))
  }

  @Test func `what hints at a webhook or a secret that is wrong is a thing to look at`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    let browser = try browser(server)
    let (webhook, secret) = ("Is the webhook registered there?", "forgeries, or a wrong secret")
    for (age, members, deliveries, found) in [
      (25, "", "", [webhook]), (23, "", "", []), (25, "webhook: {enabled: true}", "", []),
      (25, "lastSigned: '2026-01-01T00:00:00.000Z'", "", []),
      (1, "", "{refused: 2}", []), (1, "", "{refused: 2}, {refused: 1, unverified: 1}", [secret]),
      (1, "", "{refused: 3}, {accepted: 1}", []),
    ] {
      let script = """
        const createdAt = new Date(Date.now() - \(age) * 3600_000).toISOString();
        const status = {reasons: [], store: {createdAt, freeBytes: 1e12}, \(members)};
        const hour = [\(deliveries)].map((deliveries) => ({deliveries}));
        return import("./page/now.js").then((now) => now.troubles({status, problem: null, hour}).flat().join());
        """
      let troubles = try #require(browser.run(script) as? String)
      #expect([webhook, secret].filter(troubles.contains) == found, "\(age)\(members)\(deliveries): \(troubles)")
    }
    for _ in 0..<3 { #expect(try server.post("{}", fields: "").status == 401) }
    try browser.run("location.reload()")
    #expect(try browser.wait("document.getElementById('troubles').innerText.includes('\(secret)')"))
  }

  @Test func `a session is looked up by keyboard alone, and its event's body is shown on demand`() throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: ReplayTests.audit)
    let session = UUID().uuidString.lowercased()
    try post(DeliveryTests.event(session: session), to: server)
    let browser = try browser(server)
    try browser.type(Browser.tab)
    #expect(try browser.run("return document.activeElement.innerText") as? String == "Skip to the content")
    for _ in 0..<30 where try browser.run("return document.activeElement.id") as? String != "session" {
      try browser.type(Browser.tab)
    }
    try browser.type(session.uppercased() + Browser.enter)
    #expect(try browser.wait("document.querySelector('#verdict .verdict.bad')"))
    #expect(try browser.text("#verdict").contains(" by user."))
    for _ in 0..<30
    where try browser.run("return document.activeElement.matches('#verdict .show-body')") as? Bool != true {
      try browser.type(Browser.tab)
    }
    try browser.type(Browser.enter)
    #expect(try browser.wait(#"document.querySelector('#verdict pre').innerText.includes('"eventName"')"#))
    #expect(try browser.text("#verdict .body").hasPrefix("Personal data."))
    try browser.run("document.getElementById('session').value = ''")
    try browser.type(UUID().uuidString + Browser.enter, into: "#session")
    #expect(try browser.wait("document.querySelector('#verdict').innerText.startsWith('Not refused.')"))
    #expect(try browser.complaints() == [])
  }

  @Test func `the token is asked for, kept in the tab and sent as a field, and nothing is a cookie`() throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: tokenVariable)
    let browser = try Browser()
    try browser.open(server.privateAddress.url + "/")
    #expect(try browser.wait("document.activeElement.id === 'token'"))
    #expect(!server.log.text.contains("private token missing"))
    for wrong in ["another-token", "tökén"] {
      try browser.type(wrong + Browser.enter, into: "#token")
      #expect(try browser.wait("document.getElementById('token-problem').innerText.startsWith('That is not')"))
      #expect(try browser.run("return document.getElementById('content').hidden") as? Bool == true)
      try browser.run(
        "document.getElementById('token').value = ''; document.getElementById('token-problem').innerText = ''")
    }
    try browser.type(Self.token + Browser.enter, into: "#token")
    #expect(try browser.wait("!document.getElementById('content').hidden"))
    try browser.run("location.reload()")
    #expect(try browser.wait("document.getElementById('tiles').innerText.includes('Sessions refused')"))
    #expect(
      try browser.run("return document.cookie + localStorage.length + location.href") as? String
        == "0" + server.privateAddress.url + "/")
    try browser.click("#token-forget")
    #expect(try browser.wait("document.getElementById('content').hidden && sessionStorage.length === 0"))
  }

  @Test func `a dead letter is replayed and discarded, each after a second question`() throws {
    let store = try SeededStore(events: 5)
    let server = try RunningServer(in: store.folder, environment: ReplayTests.audit.merging(tokenVariable) { $1 })
    let browser = try browser(server, token: Self.token)
    #expect(try browser.text("#state").contains("audit gave 5 events up"))
    #expect(try browser.wait("document.querySelectorAll('#dead > li').length === 6"))
    #expect(try browser.text("#dead > li:nth-child(2)").contains("given up after 20 attempts"))
    #expect(try browser.text("#dead > li:nth-child(2)").contains(#"exit status 1: \u{1b}[31m\u{202e}no\u{7f}\u{9b}"#))
    #expect(try browser.run("return document.getElementById('dead-replay').disabled") as? Bool == true)

    try browser.click("#dead > li:nth-child(2) input")
    try browser.click("#dead > li:nth-child(3) input")
    try browser.click("#dead-replay")
    #expect(try browser.text("#confirm-title") == "Replay 2 dead letters?")
    try browser.photograph("replay")
    try browser.click("#confirm-no")
    #expect(try store.deadLetters().count == 6)
    try browser.click("#dead-replay")
    try browser.click("#confirm-yes")
    #expect(try browser.wait("document.getElementById('dead-progress').innerText === 'Put back 2 dead letters.'"))
    for session in store.sessions[3...] {
      #expect(server.log.wait { $0.contains(#""handler":"audit""#) && $0.contains(session) })
    }
    #expect(try browser.wait("document.querySelectorAll('#dead > li').length === 4"))
    #expect(try browser.run("return document.querySelectorAll('#dead input:checked').length") as? Int == 0)

    try browser.click("#dead-all")
    #expect(try browser.text("#dead-discard") == "Discard 4…")
    try browser.click("#dead-discard")
    try browser.type(Browser.enter)  // Cancel has the focus.
    #expect(try store.deadLetters().count == 4)
    try browser.click("#dead-discard")
    try browser.click("#confirm-yes")
    #expect(try browser.wait("document.getElementById('dead-none').checkVisibility()"))
    #expect(try store.deadLetters() == [])
    #expect(try browser.complaints() == [])
  }

  @Test func `what an operator orders is refused from then on, a whole environment only when its id is typed`() throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: tokenVariable)
    let browser = try browser(server, token: Self.token)
    let field = "X-Revoked-Token: \(Self.token)\r\n"
    let session = UUID().uuidString.lowercased()
    try browser.type(session + Browser.enter, into: "#order-id")
    try browser.click("#confirm-yes")
    #expect(try browser.wait("document.getElementById('order-result').innerText === 'Refused from now on.'"))
    #expect(try server.get("/v1/sessions/\(session)", fields: field).body.contains(#""by":"operator""#))

    let environment = UUID().uuidString.lowercased()
    try browser.run("document.getElementById('order-kind').value = 'environmentId'")
    try browser.type(environment + Browser.enter, into: "#order-id")
    #expect(try browser.run("return document.getElementById('confirm-yes').disabled") as? Bool == true)
    try browser.type(environment.dropLast() + "x", into: "#confirm-typed")
    #expect(try browser.run("return document.getElementById('confirm-yes').disabled") as? Bool == true)
    #expect(try !server.get("/v1/revocations", fields: field).body.contains(environment))
    try browser.type("\u{E003}" + environment.suffix(1), into: "#confirm-typed")
    try browser.click("#confirm-yes")
    #expect(try browser.wait("document.getElementById('order').checkValidity() === false"))
    #expect(try eventually { try server.get("/v1/revocations", fields: field).body.contains(environment) })
  }

  @Test func `names and bodies are text, whatever they hold`() throws {
    let server = try RunningServer(
      in: TemporaryFolder(),
      environment: ["REVOKED_HANDLERS_ALL_KIND": "log", "REVOKED_HANDLERS_ALL_EVENTS": "*"])
    let markup = #"<script>window.hurt=1</script><img src=x onerror=\"window.hurt=1\">"#
    for name in [markup, "user.\u{202E}dekover.noisses", String(repeating: "n", count: 3000), "{{7*7}}${7*7}"] {
      try post(#"{"eventId":"\#(UUID())","eventName":"\#(name)","data":{"html":"\#(markup)"}}"#, to: server)
    }
    // As much as the server takes.
    let start = #"{"eventId":"\#(UUID())","eventName":"large","data":{"text":""#
    let end = markup + "\u{2066}\"}}"
    try post(
      start + String(repeating: "a", count: 262_144 - start.utf8.count - end.utf8.count) + end, to: server)
    let browser = try browser(server)
    #expect(try browser.wait("document.querySelectorAll('#events > li').length === 5"))
    let names = try browser.text("#events")
    #expect(names.contains("<script>window.hurt=1</script>") && names.contains("{{7*7}}${7*7}"))
    #expect(names.contains(#"user.\u{202e}dekover.noisses"#) && !names.contains("\u{202E}"))
    for row in [1, 5] {
      try browser.click("#events > li:nth-child(\(row)) .show-body")
      #expect(try browser.wait("document.querySelector('#events > li:nth-child(\(row)) pre').innerText.length > 100"))
    }
    let body = try browser.text("#events > li:nth-child(1) pre")
    #expect(body.utf8.count > 262_144 && body.contains("<img src=x onerror=") && body.contains(#"\u{2066}"#))
    #expect(try browser.text("#events > li:nth-child(1) .body p").hasSuffix("262,144 bytes."))
    #expect(try browser.run("return window.hurt === undefined && document.scripts.length === 1") as? Bool == true)
    #expect(try browser.run("return document.querySelectorAll('#events img, #events script').length") as? Int == 0)
    #expect(try browser.run("return document.documentElement.scrollWidth") as? Int == 1280)
    try browser.photograph("hostile")
    // Neither would it run if it came into the page.
    let markupIntoPage = "try { document.body.innerHTML = '<b>'; return 'taken' } catch (error) { return error.name }"
    #expect(try browser.run(markupIntoPage) as? String == "TypeError")
  }

  @Test func `ten thousand dead letters are a page at first, and are discarded at once`() throws {
    let store = try SeededStore(events: 10_000)
    let server = try RunningServer(in: store.folder, environment: ReplayTests.audit.merging(tokenVariable) { $1 })
    let browser = try browser(server, token: Self.token)
    #expect(try browser.wait("document.getElementById('dead-count').innerText === '10,000'"))
    #expect(try browser.run("return document.querySelectorAll('#dead > li').length") as? Int == 20)
    try browser.click("#dead-more")
    #expect(try browser.wait("document.querySelectorAll('#dead > li').length === 40"))
    try browser.click("#dead-all")
    #expect(try browser.text("#dead-discard") == "Discard 40…")
    try browser.click("#dead-beyond")
    try browser.photograph("many")
    try browser.click("#dead-discard")
    try browser.type("discard all" + Browser.enter, into: "#confirm-typed")
    #expect(try browser.wait("document.getElementById('dead-progress').innerText === 'Discarded 10,001 dead letters.'"))
    #expect(try store.deadLetters() == [])
  }

  @Test func `it fits a phone and a wall, light and dark, and axe finds nothing`() throws {
    let store = try SeededStore(events: 3)
    let server = try RunningServer(in: store.folder, environment: ReplayTests.audit.merging(tokenVariable) { $1 })
    let session = UUID().uuidString.lowercased()
    try post(DeliveryTests.event(session: session), to: server)
    let browser = try browser(server, token: Self.token)
    try browser.type(session + Browser.enter, into: "#session")
    try browser.click("#events .show-body")
    #expect(try browser.wait("document.querySelector('#events pre').innerText.length > 100"))
    try browser.click("#deliveries summary")
    for (width, height) in [(360, 740), (1280, 900), (3840, 2160)] {
      try browser.resize(width: width, height: height)
      let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
      #expect(try browser.run(overflow) as? Int == 0)
      for isDark in [false, true] {
        try browser.setDark(isDark)
        if width < 2000 { #expect(try browser.barriers() == [], "\(width), \(isDark)") }
        try browser.run("scrollTo(0, 0)")
        try browser.photograph("\(width)-\(isDark ? "dark" : "light")")
      }
    }
    try browser.click("#dead-all")
    try browser.click("#dead-discard")
    #expect(try browser.barriers() == [])
  }
}
