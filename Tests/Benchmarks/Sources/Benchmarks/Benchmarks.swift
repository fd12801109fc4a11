import CAllocations
import Foundation

@main struct Benchmarks {
  /// Without arguments: the table. With the name of an operation and a number: that many times, for `Callgrind` and
  /// `SystemCalls`.
  static func main() throws {
    let arguments = CommandLine.arguments
    if arguments.count == 3, let iterations = Int(arguments[2]) {
      if let operation = Operation.all.first(where: { $0.name == arguments[1] }) {
        print(run(try operation.prepare(), iterations))
      } else if let operation = StoreOperation.all.first(where: { $0.name == arguments[1] }) {
        print(run(try operation.prepare(StoreBench(events: 64 * StoreOperation.many)), iterations))
      } else {
        exit(64)
      }
      return
    }
    do {
      let areKept = [try printTable(), try printStoreTable()]
      if areKept.contains(false) {
        FileHandle.standardError.write(Data("A promise is broken: an operation costs more than it may.\n".utf8))
        exit(1)
      }
    } catch let failure as Callgrind.Failure {
      FileHandle.standardError.write(Data("valgrind did not count: \(failure.text)\n".utf8))
      exit(69)
    } catch let failure as SystemCalls.Failure {
      FileHandle.standardError.write(Data("strace did not count: \(failure.text)\n".utf8))
      exit(69)
    }
  }

  /// Whether each operation keeps what it promises.
  private static func printTable() throws -> Bool {
    print("| operation | instructions | at most | allocations | at most |\n|---|--:|--:|--:|--:|")
    var isKept = true
    for operation in Operation.all {
      let allocations = try allocations(of: operation)
      // The difference of two runs: starting the process cancels out.
      let few = try Callgrind.instructions(of: operation.name, iterations: 1_000)
      let many = try Callgrind.instructions(of: operation.name, iterations: 11_000)
      let instructions = (many - few) / 10_000
      isKept = isKept && allocations <= operation.allocations && instructions <= operation.instructions
      print(
        "| \(operation.name) | \(instructions) | \(operation.instructions)"
          + " | \(allocations) | \(operation.allocations) |"
      )
    }
    return isKept
  }

  private static func printStoreTable() throws -> Bool {
    print("\n| in the store | system calls | at most | allocations | at most |\n|---|--:|--:|--:|--:|")
    var isKept = true
    for operation in StoreOperation.all {
      let (few, many) = (StoreOperation.few, StoreOperation.many)
      let body = try operation.prepare(StoreBench(events: 64 * many))
      _ = run(body, few)
      let before = CAllocations.allocations()
      _ = run(body, many - few)
      let allocations = Double(CAllocations.allocations() - before) / Double(many - few)
      let calls =
        try SystemCalls.count(of: operation.name, iterations: many)
        - SystemCalls.count(of: operation.name, iterations: few)
      let systemCalls = Double(calls) / Double(many - few)
      isKept = isKept && allocations <= operation.allocations && systemCalls <= operation.systemCalls
      print(
        "| \(operation.name) | \(text(systemCalls)) | \(text(operation.systemCalls))"
          + " | \(text(allocations)) | \(text(operation.allocations)) |"
      )
    }
    return isKept
  }

  private static func text(_ value: Double) -> String { String(format: "%.1f", value) }

  private static func allocations(of operation: Operation) throws -> Int {
    let body = try operation.prepare()
    // Once before, for what is made lazily.
    _ = run(body, 10)
    let before = CAllocations.allocations()
    _ = run(body, 1_000)
    let count = Int(CAllocations.allocations() - before)
    // Rounded up: one in a thousand is not none.
    return (count + 999) / 1_000
  }

  @inline(never) private static func run(_ operation: () -> Int, _ iterations: Int) -> Int {
    var sum = 0
    for _ in 0..<iterations { sum &+= operation() }
    return sum
  }
}
