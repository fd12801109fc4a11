internal import Bytes
package import DynamicEvents

/// The keys that an environment signs its JWTs with: a JSON Web Key Set (RFC 7517 §5), as far as `RS256` can use it.
///
/// A key that is none of ours (another type, another use, too small, malformed) is passed over: the set may hold keys
/// for others. A key that stands twice under one `kid` is tried both times.
package struct KeySet: Sendable {
  package enum Unusable: Error, Hashable, CustomStringConvertible {
    case tooLarge(bytes: Int)
    case notJSON(JSONError)
    /// No object with a list `keys`, or one with two.
    case notAKeySet
    /// It holds `others` keys, none of which is fit for `RS256`.
    case noKey(others: Int)

    package var description: String {
      switch self {
      case .tooLarge(let bytes): "the key set has \(bytes) bytes, more than \(KeySet.maximumBytes)"
      case .notJSON(let error): "the key set is not JSON: \(error)"
      case .notAKeySet: "the key set is no object with a list of keys"
      case .noKey(0): "the key set is empty"
      case .noKey(let others):
        "none of the \(others) keys in the key set is an RSA key of \(RSAPublicKey.sizes.lowerBound) bits or more with "
          + "a kid"
      }
    }
  }

  /// Some 500 bytes a key; a rotation has two.
  package static let maximumBytes = 65_536
  /// Further ones are passed over.
  static let maximumKeys = 32

  let keys: [(id: [UInt8], key: RSAPublicKey)]

  package init(_ text: Span<UInt8>) throws(Unusable) {
    guard text.count <= Self.maximumBytes else { throw .tooLarge(bytes: text.count) }
    var reading = Reading()
    do throws(JSONError) {
      try reading.read(text)
    } catch {
      throw .notJSON(error)
    }
    guard reading.lists == 1 else { throw .notAKeySet }
    guard !reading.keys.isEmpty else { throw .noKey(others: reading.others) }
    keys = reading.keys
  }

  /// The UTF-8 bytes of each key's `kid`.
  package var ids: [[UInt8]] { keys.map(\.id) }

  /// The `kid` of each key, as far as it is UTF-8 text that can be shown.
  package var keyIDs: [String] { keys.map { String(decoding: $0.id, as: UTF8.self) } }

  private struct Reading {
    /// How many members `keys` there are; other values than lists count twice.
    var lists = 0
    var keys: [(id: [UInt8], key: RSAPublicKey)] = []
    var others = 0

    mutating func read(_ text: Span<UInt8>) throws(JSONError) {
      var reader = JSONReader()
      guard try reader.enterObject(in: text) else {
        try reader.skipValue(in: text)
        return try reader.finish(text)
      }
      while let key = try reader.nextKey(in: text) {
        guard key.withValue(in: text, { $0.equals("keys") }) else {
          try reader.skipValue(in: text)
          continue
        }
        lists += 1
        guard try reader.enterArray(in: text) else {
          lists += 1
          try reader.skipValue(in: text)
          continue
        }
        while try reader.nextElement(in: text) {
          let element = text.extracting(try reader.value(in: text))
          if keys.count < KeySet.maximumKeys, let key = try KeySet.key(element) {
            keys.append(key)
          } else {
            others += 1
          }
        }
      }
      try reader.finish(text)
    }
  }

  /// `nil`: no key that may verify `RS256`.
  private static func key(_ text: Span<UInt8>) throws(JSONError) -> (id: [UInt8], key: RSAPublicKey)? {
    var reader = JSONReader()
    guard try reader.enterObject(in: text) else { return nil }
    var members: [Member: [UInt8]] = [:]
    while let key = try reader.nextKey(in: text) {
      let member = key.withValue(in: text) { key in Member.allCases.first { key.equals($0.name) } }
      let value = text.extracting(try reader.value(in: text))
      guard let member else { continue }
      if member == .keyOperations {
        guard value.isOrContains(Array("verify".utf8)), value[0] == UInt8(ascii: "[") else { return nil }
        continue
      }
      guard let string = value.withString({ string in string.indices.map { string[$0] } }),
        members.updateValue(string, forKey: member) == nil
      else { return nil }
    }
    guard members[.type].isText("RSA"), members[.use].isText("sig", orAbsent: true),
      members[.algorithm].isText("RS256", orAbsent: true), let id = members[.id], !id.isEmpty,
      let modulus = members[.modulus].flatMap({ Base64URL.decode($0.span) }),
      let exponent = members[.exponent].flatMap({ Base64URL.decode($0.span) }),
      let key = RSAPublicKey(modulus: modulus.span, exponent: exponent.span)
    else { return nil }
    return (id, key)
  }

  private enum Member: CaseIterable {
    case type, use, algorithm, keyOperations, id, modulus, exponent

    var name: StaticString {
      switch self {
      case .type: "kty"
      case .use: "use"
      case .algorithm: "alg"
      case .keyOperations: "key_ops"
      case .id: "kid"
      case .modulus: "n"
      case .exponent: "e"
      }
    }
  }
}

extension [UInt8]? {
  fileprivate func isText(_ text: StaticString, orAbsent: Bool = false) -> Bool { self?.span.equals(text) ?? orAbsent }
}
