/// A text that is JSON, as a tree that keeps every member of an object in its order: Foundation's readers keep one of
/// two that share a name. Recursive, and on characters: nothing like the reader under test.
indirect enum JSONTree {
  struct Member {
    let name: String
    let value: JSONTree
  }

  case object([Member])
  case array([JSONTree])
  case string(String)
  case other

  /// `nil` for what is not JSON. Not everything that is not JSON is found.
  init?(_ bytes: [UInt8]) {
    var rest = Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)[...]
    guard let tree = JSONTree(&rest) else { return nil }
    self = tree
  }

  /// The values of every member of this name.
  subscript(name: String) -> [JSONTree] {
    guard case .object(let members) = self else { return [] }
    return members.filter { Array($0.name.utf8) == Array(name.utf8) }.map(\.value)
  }

  var string: String? { if case .string(let text) = self { text } else { nil } }

  private init?(_ rest: inout ArraySlice<Unicode.Scalar>) {
    Self.space(&rest)
    switch rest.first {
    case "{":
      var members: [Member] = []
      repeat {
        rest.removeFirst()
        Self.space(&rest)
        guard rest.first == "\"" else { break }
        guard let name = Self.text(&rest) else { return nil }
        Self.space(&rest)
        guard rest.popFirst() == ":", let value = JSONTree(&rest) else { return nil }
        members.append(Member(name: name, value: value))
        Self.space(&rest)
      } while rest.first == ","
      guard rest.popFirst() == "}" else { return nil }
      self = .object(members)
    case "[":
      var elements: [JSONTree] = []
      repeat {
        rest.removeFirst()
        Self.space(&rest)
        if rest.first == "]" { break }
        guard let element = JSONTree(&rest) else { return nil }
        elements.append(element)
        Self.space(&rest)
      } while rest.first == ","
      guard rest.popFirst() == "]" else { return nil }
      self = .array(elements)
    case "\"":
      guard let text = Self.text(&rest) else { return nil }
      self = .string(text)
    default:
      let ends: Set<Unicode.Scalar> = [",", "]", "}", " ", "\n", "\r", "\t"]
      rest = rest.drop { !ends.contains($0) }
      self = .other
    }
  }

  private static func space(_ rest: inout ArraySlice<Unicode.Scalar>) {
    rest = rest.drop { [" ", "\n", "\r", "\t"].contains($0) }
  }

  /// Half of a surrogate pair is U+FFFD.
  private static func text(_ rest: inout ArraySlice<Unicode.Scalar>) -> String? {
    rest.removeFirst()
    var units: [UInt16] = []
    while let scalar = rest.popFirst(), scalar != "\"" {
      guard scalar == "\\" else {
        units += Array(String(Character(scalar)).utf16)
        continue
      }
      guard let letter = rest.popFirst() else { return nil }
      if letter == "u" {
        guard let unit = UInt16(String(String.UnicodeScalarView(rest.prefix(4))), radix: 16) else { return nil }
        units.append(unit)
        rest = rest.dropFirst(4)
      } else {
        let escapes: [Unicode.Scalar: Unicode.Scalar] = [
          "b": "\u{8}", "f": "\u{c}", "n": "\n", "r": "\r", "t": "\t",
        ]
        units += Array(String(Character(escapes[letter] ?? letter)).utf16)
      }
    }
    return String(decoding: units, as: UTF16.self)
  }
}
