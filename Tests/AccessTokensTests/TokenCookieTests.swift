import AccessTokens
import Testing

@Suite("The cookie that carries the JWT", .timeLimit(.minutes(1)))
struct TokenCookieTests {
  static func value(in field: String, name: String = "DYNAMIC_JWT_TOKEN") throws -> String? {
    let cookie = try #require(TokenCookie(name: name))
    let bytes = Array(field.utf8)
    return try cookie.value(in: bytes.span).map { String(decoding: bytes[$0], as: UTF8.self) }
  }

  @Test(arguments: [
    ("DYNAMIC_JWT_TOKEN=a.b.c", "a.b.c"), ("x=y; DYNAMIC_JWT_TOKEN=a.b.c; z=1", "a.b.c"),
    ("x=y;DYNAMIC_JWT_TOKEN=a.b.c;z=1", "a.b.c"), ("DYNAMIC_JWT_TOKEN = a.b.c ", "a.b.c"), ("DYNAMIC_JWT_TOKEN=", ""),
    ("DYNAMIC_JWT_TOKEN=a.b.c;", "a.b.c"), (" DYNAMIC_JWT_TOKEN=a", "a"), ("DYNAMIC_JWT_TOKEN=a=b", "a=b"),
    (#"DYNAMIC_JWT_TOKEN="a.b.c""#, #""a.b.c""#), ("DYNAMIC_JWT_TOKEN=a, b=c", "a, b=c"),
    (#"theme={"dark":true,"x":"a=b"}; DYNAMIC_JWT_TOKEN=a.b.c; _ga=GA1.1.7; é=ü"#, "a.b.c"),
    ("DYNAMIC_JWT_TOKEN2=x; xDYNAMIC_JWT_TOKEN=y; DYNAMIC_JWT_TOKEN=a", "a"),
    ("DYNAMIC_JWT_TOKEN; DYNAMIC_JWT_TOKEN=a", "a"),
  ])
  func `is found among others`(field: String, value: String) throws {
    #expect(try Self.value(in: field) == value)
  }

  @Test(arguments: [
    "", ";", "=", "x=y", "x=DYNAMIC_JWT_TOKEN", "DYNAMIC_JWT_TOKEN", "DYNAMIC_JWT_TOKENS=a", "DYNAMIC-JWT-TOKEN=a",
    "_DYNAMIC_JWT_TOKEN=a", "DYNAMIC_JWT_TOKE=a", "%44YNAMIC_JWT_TOKE=a", "a=%", "%=b", "=;=;,=",
  ])
  func `is absent where no reader finds it`(field: String) throws {
    #expect(try Self.value(in: field) == nil)
  }

  @Test(arguments: [
    "DYNAMIC_JWT_TOKEN=a; DYNAMIC_JWT_TOKEN=b", "DYNAMIC_JWT_TOKEN=a; DYNAMIC_JWT_TOKEN=a",
    "DYNAMIC_JWT_TOKEN=a; dynamic_jwt_token=b", "Dynamic_JWT_Token=a", "DYNAMIC_JWT_TOKEN=a;DYNAMIC_JWT_TOKEN =b",
    // Inside a quoted value, as readers of RFC 2109 have it.
    #"x="y; DYNAMIC_JWT_TOKEN=a"; DYNAMIC_JWT_TOKEN=b"#, #"x="DYNAMIC_JWT_TOKEN=a""#,
    // Split at white space, as Python's SimpleCookie does, or at commas.
    "x=y DYNAMIC_JWT_TOKEN=a", "x=y\tDYNAMIC_JWT_TOKEN=a; DYNAMIC_JWT_TOKEN=b", "x=y, DYNAMIC_JWT_TOKEN=a",
    "a DYNAMIC_JWT_TOKEN=b", "x=DYNAMIC_JWT_TOKEN=a",
    // Names that are decoded, or replaced as PHP does.
    "%44YNAMIC_JWT_TOKEN=a", "DYNAMIC.JWT.TOKEN=a", "DYNAMIC JWT TOKEN=a", "DYNAMIC[JWT_TOKEN=a",
    "DYNAMIC+JWT+TOKEN=a",
    "DYNAMIC_JWT_TOKEN=b; DYNAMIC%5fJWT%5FTOKEN=a", "%20DYNAMIC_JWT_TOKEN=a", "+%20DYNAMIC_JWT_TOKEN=a",
    // White space outside ASCII, which Python's `strip` and JavaScript's `trim` take away.
    "\u{A0}DYNAMIC_JWT_TOKEN=a", "x=y;DYNAMIC_JWT_TOKEN\u{3000}=a", "x\u{2003}DYNAMIC_JWT_TOKEN=a",
    "DYNAMIC_JWT_TOKEN=a; \u{85}DYNAMIC_JWT_TOKEN=b",
  ])
  func `is refused where two readers could find different values`(field: String) {
    #expect(throws: TokenCookie.Ambiguous.self) { try Self.value(in: field) }
  }

  @Test(arguments: [0x85, 0xA0] as [UInt8])
  func `White space of Latin-1 is no part of a name either`(byte: UInt8) throws {
    let cookie = try #require(TokenCookie(name: "DYNAMIC_JWT_TOKEN"))
    let field = [byte] + Array("DYNAMIC_JWT_TOKEN=a".utf8)
    #expect(throws: TokenCookie.Ambiguous.self) { try cookie.value(in: field.span) }
  }

  @Test func `A name must be a token`() {
    for name in ["DYNAMIC_JWT_TOKEN", "a", "__Host-jwt", "!#$%&'*+-.^_`|~"] { #expect(TokenCookie(name: name) != nil) }
    for name in ["", " ", "a b", "a=b", "a;b", "\"a\"", "a,b", "é", "a\n", "a/b"] {
      #expect(TokenCookie(name: name) == nil)
    }
  }
}
