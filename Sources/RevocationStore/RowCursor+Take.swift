internal import GRDB

extension RowCursor {
  /// Reads rows until what they hold reaches a number of bytes; at least one, when there is one.
  func take<Value>(
    upTo bytes: Int, counting size: KeyPath<Value, Int>, _ make: (Row) throws -> Value
  ) throws -> [Value] {
    var values: [Value] = []
    var taken = 0
    while taken < bytes, let row = try next() {
      let value = try make(row)
      taken += value[keyPath: size]
      values.append(value)
    }
    return values
  }
}
