import Testing

@testable import revoked

@Suite("The variables of socket activation", .timeLimit(.minutes(1)))
struct InheritedSocketsTests {
  @Test(
    arguments: [
      (nil, nil, nil, nil, nil), ("7", nil, nil, nil, nil), (nil, "2", nil, nil, nil), ("8", "2", nil, nil, nil),
      (" 7", "2", nil, nil, nil), ("7", "0", nil, nil, nil), ("7", "1", nil, 3, nil), ("7", "2", nil, 3, 4),
      ("7", "1", "public", 3, nil), ("7", "1", "private", nil, 3), ("7", "2", "private:public", 4, 3),
      ("7", "2", "public:private", 3, 4), ("7", "2", "revoked.socket:revoked.socket", 3, 4),
      ("7", "1", "unknown", 3, nil),
      ("7", "1", "", 3, nil),
    ] as [(String?, String?, String?, Int32?, Int32?)])
  func `say which descriptor is which`(pid: String?, count: String?, names: String?, first: Int32?, second: Int32?)
    throws
  {
    let sockets = try InheritedSockets(pid: pid, count: count, names: names, own: 7)
    #expect(sockets.publicListener == first)
    #expect(sockets.privateListener == second)
  }

  @Test(
    arguments: [
      ("3", nil), ("-1", nil), ("", nil), ("+1", nil), ("1x", nil), ("99999999999", nil), ("2", "public:public"),
      ("2", "public"), ("1", "public:private"), ("2", "public:other"), ("2", "public:"), ("0", "public"),
    ] as [(String, String?)])
  func `are refused when they leave a doubt`(count: String, names: String?) {
    #expect(throws: InheritedSockets.Unusable.self) {
      try InheritedSockets(pid: "7", count: count, names: names, own: 7)
    }
  }
}
