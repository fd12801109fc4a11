import Handlers
import Testing

@Suite(.timeLimit(.minutes(1))) struct EventPatternTests {
  @Test(arguments: [
    ("*", "user.session.revoked", true), ("*", "", true),
    ("user.*", "user.session.revoked", true), ("user.*", "user.created", true), ("user.*", "user", false),
    ("user.*", "users.created", false), ("user.*", "admin.user.session.revoked", false),
    ("user.session.*", "user.session.created", true), ("user.session.*", "user.session", false),
    ("user.session.revoked", "user.session.revoked", true), ("user.session.revoked", "user.session.revoked2", false),
    ("user.session.revoked", "user.session.revoke", false), ("user.session.revoked", "User.session.revoked", false),
    ("*.revoked", "user.session.revoked", false), ("", "", true), ("", "ping", false),
  ])
  func `a pattern is a name, or the beginning of one`(pattern: String, name: String, matches: Bool) {
    #expect(EventPattern(pattern).matches(name) == matches)
    #expect(EventPattern(pattern).description == pattern)
  }

  @Test(arguments: [
    ("user.session.revoked", true), ("admin.user.session.revoked", true), ("user.session.created", false),
    ("ping", false),
  ])
  func `without patterns a handler gets the two events that revoke a session`(name: String, isWanted: Bool) {
    #expect(HandlerRegistration("a", handler: ScriptedHandler()).wants(name) == isWanted)
  }

  @Test(arguments: [(Int.min, 1), (0, 1), (1, 1), (20, 20)])
  func `a handler has one attempt at least`(asked: Int, given: Int) {
    #expect(HandlerRegistration("a", maxAttempts: asked, handler: ScriptedHandler()).maxAttempts == given)
  }
}
