internal import DynamicEvents

extension RevokedBy {
  /// From the table's column; `nil` for a name that is nobody's.
  init?(name: Span<UInt8>) {
    let known = Self.allCases.first { by in
      let utf8 = by.rawValue.utf8
      return utf8.count == name.count && zip(utf8, name.indices).allSatisfy { $0 == name[$1] }
    }
    guard let known else { return nil }
    self = known
  }
}
