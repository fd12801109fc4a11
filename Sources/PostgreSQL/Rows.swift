#if PostgreSQL
  internal import CPostgreSQL

  /// What a statement returned, in memory. It belongs to one thread at a time.
  @safe package final class Rows {
    // Given to `init`, cleared by `deinit`, and only read in between.
    private let result: OpaquePointer

    init(_ result: OpaquePointer) {
      unsafe self.result = result
    }

    deinit { unsafe PQclear(result) }

    package var count: Int { Int(unsafe PQntuples(result)) }

    /// How many rows the statement changed, where it returns none.
    package var changes: Int {
      unsafe Int(String(cString: PQcmdTuples(result))) ?? 0
    }

    var status: ExecStatusType { unsafe PQresultStatus(result) }

    /// The error that it is.
    var error: PostgreSQLError {
      let state = field(0x43)
      return PostgreSQLError(.statement, state: state, field(0x4D))
    }

    /// One of the message's fields, by the letter that PostgreSQL's protocol has for it.
    private func field(_ letter: CInt) -> String {
      // libpq's text stays as long as the result.
      guard let text = unsafe PQresultErrorField(result, letter) else { return "" }
      return unsafe String(cString: text)
    }

    package subscript(index: Int) -> Row { Row(rows: self, index: CInt(index)) }

    package func map<Value>(_ body: (Row) throws -> Value) rethrows -> [Value] {
      try (0..<count).map { try body(self[$0]) }
    }

    /// Lends a value's bytes; nil for NULL.
    fileprivate func lend<Value, Failure>(
      _ row: CInt, _ column: CInt, _ body: (Span<UInt8>) throws(Failure) -> Value
    ) throws(Failure) -> Value? {
      guard unsafe PQgetisnull(result, row, column) == 0, let bytes = unsafe PQgetvalue(result, row, column) else {
        return nil
      }
      // libpq's bytes stay as long as the result, and it says how many there are.
      let count = Int(unsafe PQgetlength(result, row, column))
      return try unsafe UnsafeRawPointer(bytes).withMemoryRebound(to: UInt8.self, capacity: count) {
        start throws(Failure) in try unsafe body(Span(_unsafeStart: start, count: count))
      }
    }
  }

  /// A row of them. Columns count from 0. NULL, or a value of another type than asked for, is an error.
  package struct Row {
    fileprivate let rows: Rows
    fileprivate let index: CInt

    package func lend<Value, Failure>(
      _ column: CInt, _ body: (Span<UInt8>) throws(Failure) -> Value
    ) throws(Failure) -> Value? {
      try rows.lend(index, column, body)
    }

    package func isNull(_ column: CInt) -> Bool { lend(column) { _ in true } == nil }

    /// `smallint`, `integer` and `bigint`.
    package func integerIfAny(_ column: CInt) throws(PostgreSQLError) -> Int64? {
      try lend(column) { bytes throws(PostgreSQLError) in
        switch bytes.count {
        case 2, 4, 8:
          var value: Int64 = bytes[0] & 0x80 == 0 ? 0 : -1
          for index in bytes.indices { value = value << 8 | Int64(bytes[index]) }
          return value
        default: throw .wrongType
        }
      }
    }

    package func integer(_ column: CInt) throws(PostgreSQLError) -> Int64 {
      guard let value = try integerIfAny(column) else { throw .wrongType }
      return value
    }

    package func bool(_ column: CInt) throws(PostgreSQLError) -> Bool {
      let value = lend(column) { bytes in bytes.count == 1 ? bytes[0] != 0 : nil } ?? nil
      guard let value else { throw .wrongType }
      return value
    }

    package func bytesIfAny(_ column: CInt) -> [UInt8]? {
      lend(column) { bytes in unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) } }
    }

    /// `bytea` and `uuid`.
    package func bytes(_ column: CInt) throws(PostgreSQLError) -> [UInt8] {
      guard let bytes = bytesIfAny(column) else { throw .wrongType }
      return bytes
    }

    /// `text`, `name` and `"char"`.
    package func textIfAny(_ column: CInt) -> String? {
      lend(column) { bytes in unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) } }
    }

    package func text(_ column: CInt) throws(PostgreSQLError) -> String {
      guard let text = textIfAny(column) else { throw .wrongType }
      return text
    }

    /// The elements of a `bigint[]` or `integer[]` of one dimension, without its NULLs.
    package func integers(_ column: CInt) throws(PostgreSQLError) -> [Int64] {
      guard let bytes = bytesIfAny(column) else { return [] }
      func number(at place: Int, width: Int) throws(PostgreSQLError) -> Int64 {
        guard place + width <= bytes.count else { throw .wrongType }
        var value: Int64 = bytes[place] & 0x80 == 0 ? 0 : -1
        for byte in bytes[place..<place + width] { value = value << 8 | Int64(byte) }
        return value
      }
      guard try number(at: 0, width: 4) != 0 else { return [] }
      let count = try number(at: 12, width: 4)
      var place = 20
      var values: [Int64] = []
      for _ in 0..<max(0, count) {
        let length = Int(try number(at: place, width: 4))
        place += 4
        guard length != -1 else { continue }
        guard length == 4 || length == 8 else { throw .wrongType }
        values.append(try number(at: place, width: length))
        place += length
      }
      return values
    }
  }
#endif
