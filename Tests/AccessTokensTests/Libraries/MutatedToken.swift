import Foundation
import Signature
import TestSupport

/// Tokens that are nearly Dynamic's: claims, header, signature and text, each sometimes wrong, by a seed.
struct MutatedToken {
  static let environment = "55555555-5555-4555-8555-555555555555"
  static let audience = "https://app.example.com"
  static let living = "00112233-4455-6677-8899-aabbccddeeff"
  static let revoked = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"
  static let user = "44444444-4444-4444-8444-444444444444"
  static let cutOffUser = "66666666-6666-4666-8666-666666666666"

  let key: SigningKey
  let second: SigningKey
  /// Not in the set.
  let stranger: SigningKey
  /// The environment's, which the signing of HS256 is to be confused with.
  let publicTexts: [[UInt8]]

  init() throws {
    key = try SigningKey("k1")
    second = try SigningKey("k2")
    stranger = try SigningKey("k1")
    publicTexts = try [key.pem, key.pem.trimmingCharacters(in: .whitespacesAndNewlines), key.jwk(), ""].map {
      Array($0.utf8)
    }
  }

  var keySet: String { get throws { try SigningKey.keySet(key, second) } }

  func make(at now: Int64, _ random: inout SplitMix) throws -> [UInt8] {
    let payload = Self.encode(Self.payload(now, &random), &random)
    let header = try Self.encode(self.header(&random), &random)
    let signed = "\(header).\(payload)"
    var token = try "\(signed).\(signature(signed, &random))"
    if random.one(in: 40) { token = try nested(token, &random) }
    var bytes = Array(token.utf8)
    if random.one(in: 8) { Self.damage(&bytes, &random) }
    // What cannot stand in a field's value never gets here.
    return bytes.filter { $0 >= 0x20 && $0 != 0x7F }
  }

  // MARK: Claims

  private static func payload(_ now: Int64, _ random: inout SplitMix) -> [UInt8] {
    let isCutOff = random.one(in: 3)
    var claims: [(String, String)] = [
      ("sid", quoted(random.one(in: 3) ? revoked : living)), ("sub", quoted(isCutOff ? cutOffUser : user)),
      ("environment_id", quoted(environment)), ("iat", "\(now - random.pick([10, 100, 3600]))"),
      ("exp", "\(now + random.pick([3600, 3600, 3600, 30, -30, -90, -7200]))"), ("scope", quoted("user:basic")),
      ("aud", quoted(audience)),
    ]
    if random.one(in: 3) { claims.append(("originalSid", quoted(random.one(in: 2) ? revoked : living))) }
    if random.one(in: 8) { claims.append((random.pick(names), random.pick(values(now)))) }
    for _ in 0..<random.pick([0, 0, 0, 1, 1, 2, 3]) {
      let index = Int(random.next() % UInt64(claims.count))
      switch random.next() % 8 {
      case 0: claims.remove(at: index)
      case 1:
        claims.insert((claims[index].0, random.pick(values(now))), at: Int(random.next() % UInt64(claims.count + 1)))
      case 2:
        claims[index].0 = random.pick([
          claims[index].0.uppercased(), claims[index].0 + " ", "\u{feff}" + claims[index].0,
        ])
      case 3: claims[index].0 = escaped(claims[index].0, &random)
      case 4: claims[index].1 = escaped(claims[index].1, &random)
      case 5:
        claims[index].1 = random.pick([
          claims[index].1.uppercased(), "[\(claims[index].1)]", "{\"sid\":\(claims[index].1)}",
        ])
      default: claims[index].1 = random.pick(values(now))
      }
      if claims.isEmpty { break }
    }
    claims.shuffle(using: &random)
    let comma = random.one(in: 20) ? " ,\n" : ","
    var text = "{" + claims.map { "\"\($0.0)\":\($0.1)" }.joined(separator: comma) + "}"
    switch random.next() % 60 {
    case 0: text = "\u{feff}" + text
    case 1: return Array(text.data(using: .utf16LittleEndian) ?? Data())
    case 2: text = " \(text)\n"
    case 3: text += random.pick(["}", ",", "{}", "\u{0}", "//x"])
    case 4: text = "[\(text)]"
    case 5: text = text.replacing("{", with: "{\"data\":{\"sid\":\"\(revoked)\"},", maxReplacements: 1)
    case 6: text = text.replacing("\"", with: "'")
    default: break
    }
    return Array(text.utf8)
  }

  private static let names = [
    "sid", "originalSid", "sub", "environment_id", "iat", "exp", "nbf", "scope", "aud", "iss", "jti", "kid", "data", "",
    "Sid",
  ]

  private static func values(_ now: Int64) -> [String] {
    [
      quoted(revoked), quoted(living), quoted(cutOffUser), quoted(user), quoted(environment),
      quoted(revoked.uppercased()),
      quoted(" " + revoked), quoted(revoked + "\u{0}"), quoted(""), "null", "true", "false", "0", "-0", "-1", "1e999",
      "1E10",
      "\(now).5", "\(now - 10)", "\(now + 30)", "\(now + 90)", "\(now + 3600)", quoted("\(now - 10)"),
      quoted("\(now + 3600)"),
      "\(now)e0", "\(now)0e-1", "99999999999999999999", "-99999999999999999999", String(repeating: "9", count: 400),
      String(repeating: "9", count: 4500), "1.\(String(repeating: "0", count: 50))1", "NaN", "Infinity", "0x10", "01",
      "[]", "{}", "[\(quoted(audience))]", "[\(quoted("x")),\(quoted(audience))]", "[\(quoted(audience)),7]", "[[[]]]",
      String(repeating: "[", count: 70) + String(repeating: "]", count: 70),
      String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000), quoted("user:basic admin"),
      quoted("admin user:basic"), quoted("user:basics"), quoted("USER:BASIC"), quoted("user:basic\\tadmin"),
      "\"\\ud800\"",
      "\"\\u0000\"", "\"\u{e9}\u{1f600}\"", "\"\\x\"", "\"\n\"", quoted(audience), quoted(audience + "/"),
    ]
  }

  private static func quoted(_ text: String) -> String { "\"\(text)\"" }

  /// With one of its characters as `\uXXXX`.
  private static func escaped(_ text: String, _ random: inout SplitMix) -> String {
    let scalars = Array(text.unicodeScalars)
    guard let index = scalars.indices.randomElement(using: &random) else { return text }
    return scalars.indices.map { position in
      let value = String(scalars[position].value, radix: 16, uppercase: random.one(in: 2))
      guard position == index, value.count <= 4, scalars[position] != "\"" else { return String(scalars[position]) }
      return "\\u" + String(repeating: "0", count: 4 - value.count) + value
    }.joined()
  }

  // MARK: Header and signature

  private func header(_ random: inout SplitMix) throws -> [UInt8] {
    var parameters = [
      ("alg", "\"RS256\""), ("kid", random.one(in: 5) ? "\"k2\"" : "\"k1\""), ("typ", "\"JWT\""),
    ]
    for _ in 0..<random.pick([0, 0, 0, 1, 1, 2]) {
      let index = Int(random.next() % UInt64(parameters.count))
      switch random.next() % 6 {
      case 0: parameters[0].1 = random.pick(Self.algorithms)
      case 1: parameters.remove(at: index)
      case 2: parameters[index].0 = Self.escaped(parameters[index].0, &random)
      case 3: parameters.append((parameters[index].0, random.pick(Self.algorithms + ["\"k1\"", "\"k2\""])))
      default:
        let extra = try [
          ("jwk", stranger.jwk()), ("jwk", key.jwk()), ("jwk", "\"x\""), ("jku", "\"https://example.com/\""),
          ("jku", "7"),
          ("x5u", "\"https://example.com/\""), ("x5c", "[\"MIIB\"]"), ("x5c", "\"x\""), ("x5t", "\"a\""),
          ("x5t#S256", "\"a\""), ("crit", "[\"exp\"]"), ("crit", "[\"b64\"]"), ("crit", "[]"), ("crit", "null"),
          ("b64", "false"), ("b64", "true"), ("zip", "\"DEF\""), ("cty", "\"JWT\""), ("cty", "1"),
          ("typ", "\"at+jwt\""),
          ("typ", "null"), ("typ", "7"), ("x", "{\"a\":[1]}"), ("kid", "null"), ("kid", "1"), ("kid", "\"../k1\""),
          ("enc", "\"A128GCM\""), ("exp", "0"), ("alg", "\"none\""),
        ]
        parameters.append(random.pick(extra))
      }
      if parameters.isEmpty { break }
    }
    if random.one(in: 2) { parameters.shuffle(using: &random) }
    let text = "{" + parameters.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    return Array((random.one(in: 60) ? "\u{feff}" + text : text).utf8)
  }

  private static let algorithms = [
    "\"none\"", "\"None\"", "\"\"", "\"HS256\"", "\"RS384\"", "\"RS512\"", "\"PS256\"", "\"ES256\"", "\"EdDSA\"",
    "\"rs256\"",
    "\"RS256 \"", "\"R\\u00532\\u003556\"", "\"\\u0052S256\"", "[\"RS256\"]", "null", "7", "\"RSA-OAEP\"", "\"dir\"",
  ]

  private func signature(_ signed: String, _ random: inout SplitMix) throws -> String {
    let message = Array(signed.utf8)
    switch random.next() % 32 {
    case 0: return try SigningKey.base64URL(stranger.sign(message))
    case 1:
      let secret = random.pick(publicTexts + [[0]])
      guard let code = try? HMACSHA256(key: secret.span).code(for: message.span) else { return "" }
      return SigningKey.base64URL(code.bytes.indices.map { code.bytes[$0] })
    case 2: return ""
    case 3: return SigningKey.base64URL([UInt8](repeating: UInt8(random.next() % 256), count: Int(random.next() % 300)))
    case 4:
      var bytes = try key.sign(message)
      bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
      return SigningKey.base64URL(bytes)
    case 5: return try SigningKey.base64URL(Array(key.sign(message).dropLast(Int(random.next() % 3))))
    case 6: return try SigningKey.base64URL(second.sign(message))
    default: return try SigningKey.base64URL(key.sign(message))
    }
  }

  private func nested(_ token: String, _ random: inout SplitMix) throws -> String {
    switch random.next() % 4 {
    case 0:
      return try key.jwt(
        encodedPayload: SigningKey.base64URL(Array(token.utf8)), header: #"{"alg":"RS256","kid":"k1","cty":"JWT"}"#)
    case 1: return try key.jwt("{\"jwt\":\"\(token)\"}")
    case 2: return "{\"payload\":\"\(token)\",\"protected\":\"\",\"signature\":\"\"}"
    default: return "\(token).\(token)"
    }
  }

  // MARK: Text

  private static func encode(_ bytes: [UInt8], _ random: inout SplitMix) -> String {
    let text = SigningKey.base64URL(bytes)
    switch random.next() % 60 {
    case 0: return Data(bytes).base64EncodedString()
    case 1: return text + String(repeating: "=", count: Int(random.next() % 3) + 1)
    case 2: return text.replacing("-", with: "+").replacing("_", with: "/")
    case 3: return text.swappedCase(at: Int(random.next() % UInt64(max(text.count, 1))))
    case 4: return String(text.dropLast())
    case 5: return text + "A"
    // Bits of no byte in the last digit.
    case 6: return String(text.dropLast()) + String(random.pick(Array("BCDEFGHIJ")))
    case 7: return text.prefix(8) + random.pick([" ", "!", "%3D", ",", "\u{e9}", "~"]) + text.dropFirst(8)
    default: return text
    }
  }

  private static func damage(_ bytes: inout [UInt8], _ random: inout SplitMix) {
    for _ in 0...random.next() % 3 {
      let position = Int(random.next() % UInt64(bytes.count + 1))
      let end = min(bytes.count, position + 1 + Int(random.next() % 8))
      switch random.next() % 8 {
      case 0: bytes.insert(random.pick(Array(" .=-_+/%,;\"'\\{}~\t".utf8)), at: position)
      case 1: bytes.removeSubrange(position..<end)
      case 2: bytes.insert(contentsOf: Array(bytes[position..<end]), at: position)
      case 3: if position < bytes.count { bytes[position] ^= 0x20 }
      case 4: if position < bytes.count { bytes[position] = UInt8(truncatingIfNeeded: random.next()) }
      case 5:
        bytes =
          Array(random.pick([" ", "Bearer ", "\"", ""]).utf8) + bytes + Array(random.pick([" ", "\"", "=", "."]).utf8)
      case 6:
        var parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Array.init)
        parts.shuffle(using: &random)
        bytes = Array(parts.joined(separator: [UInt8(ascii: ".")]))
      default: if let dot = bytes.firstIndex(of: UInt8(ascii: ".")) { bytes.insert(UInt8(ascii: "."), at: dot) }
      }
    }
  }
}

extension SplitMix {
  fileprivate mutating func one(in count: UInt64) -> Bool { next() % count == 0 }

  fileprivate mutating func pick<Value>(_ values: [Value]) -> Value { values[Int(next() % UInt64(values.count))] }
}

extension String {
  fileprivate func swappedCase(at offset: Int) -> String {
    String(
      enumerated().map {
        $0.offset == offset
          ? ($0.element.isUppercase ? Character($0.element.lowercased()) : Character($0.element.uppercased()))
          : $0.element
      })
  }
}
